"""The wire format without the wire: what a request and an answer look like.

Belongs here: operations and requests as values, the encoding of parameters, the reading of
answers and of PVE's error sentences, decoders of single fields. Does not belong here: sending
anything, sleeping, retry decisions (`flows`), sockets and TLS (`transport`).
"""
