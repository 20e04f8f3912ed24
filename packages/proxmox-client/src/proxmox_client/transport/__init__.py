"""The rim: the only package that imports httpx and aiohttp, opens sockets or checks certificates.

Belongs here: endpoints, trust, sending one request once, telling what a failure means. Does not
belong here: retries and anything that needs to know what a request is about.
"""
