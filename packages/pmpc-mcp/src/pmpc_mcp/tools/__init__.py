"""The tools, one module each; `register` of each adds its tool to a server."""
