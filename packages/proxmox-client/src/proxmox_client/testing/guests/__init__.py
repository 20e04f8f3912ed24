"""What a virtual machine or container is and how it changes, without requests, tasks or storage.

Here belong: a guest's options and how PVE writes them, pending values and what a running guest
takes at once, snapshots, the plan of a clone, the figures it reports. Everything here is a function
over a :class:`~proxmox_client.testing.guests.guest.Guest`; randomness and time are passed in.

Not here: the operations of the API and their order of checks (``testing.handlers``), tasks, volumes
and storages (``testing`` itself).
"""
