"""One module per group of commands: parse, call one action, present its answer."""
