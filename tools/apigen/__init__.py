"""Generate the typed client of the Proxmox VE API from its pinned facts.

Stages, one module each: `facts` reads the API of every version, `merge` joins them, `corrections`
applies what we know better, `naming` decides what things are called in Python, `emit_*` render
files, `output` writes or compares them. Here belongs what turns facts into files; what runs in the
client (decoding, calling) does not.
"""
