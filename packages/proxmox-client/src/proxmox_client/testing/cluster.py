"""The simulated cluster: takes requests, holds the state, answers."""

from __future__ import annotations

import random
import uuid
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from proxmox_client.testing import asking, seeding
from proxmox_client.testing.access import AccessControl
from proxmox_client.testing.auth import Authenticator
from proxmox_client.testing.broadcast import Broadcast
from proxmox_client.testing.clock import START, VirtualClock
from proxmox_client.testing.consoles import Consoles
from proxmox_client.testing.faults import Faults
from proxmox_client.testing.generating import populate
from proxmox_client.testing.joining import set_up
from proxmox_client.testing.locks import LockTable
from proxmox_client.testing.outside import Outside
from proxmox_client.testing.quorum import is_quorate
from proxmox_client.testing.request import PveFault, SimRequest, SimResponse
from proxmox_client.testing.routing import RouteTable
from proxmox_client.testing.scheduler import Scheduler
from proxmox_client.testing.state import Guest, Node, Pool, Storage, Token, User, Volume
from proxmox_client.testing.tasks import TaskEngine
from proxmox_client.testing.volumes import VolumeStore

if TYPE_CHECKING:
    import httpx

    from proxmox_client.testing.asgi import SimulatorApp
    from proxmox_client.testing.guests.agentcommands import Command
    from proxmox_client.testing.saving.document import Unfinished
    from proxmox_client.testing.server import SimulatorServer

Conversation = Generator[float, None, SimResponse]


class SimulatedCluster:
    """A Proxmox VE cluster in memory.

    Args:
        nodes: Names of the nodes.
        version: PVE version whose API it serves: ``8.4``, ``9.0``, ``9.1`` or ``9.2``.
        seed: Makes MAC addresses, uuids and the like repeatable.
        storages: Which of the ready-made storages it has.
        start: Time of its clock at the beginning.
        clock: A clock it shares with others instead of one of its own.

    Raises:
        ValueError: Nodes or version are none PVE has.

    Attributes:
        clock: Its time. Everything that takes time takes it from here.
        random: Its source of chance.
        faults: What goes wrong on demand.
        downloads: What download-url finds, by URL; everything else refuses the connection.
        consoles: Consoles somebody opened, with what was typed into them.
        agent_commands: What agents can run besides `echo`, `cat`, `true`, `false` and `sleep`.
        outside: Servers its nodes can reach: directories, identity providers, file servers.
    """

    def __init__(
        self,
        nodes: tuple[str, ...] = ("pve1", "pve2", "pve3"),
        version: str = "9.2",
        seed: int = 1,
        *,
        storages: tuple[str, ...] = ("local", "local-lvm", "shared"),
        start: float = START,
        clock: VirtualClock | None = None,
    ) -> None:
        self.version = version
        self.random = random.Random(seed)  # noqa: S311 - repeatable on purpose
        self.clock = clock or VirtualClock(start)
        self.nodes: dict[str, Node] = seeding.make_nodes(nodes, start, self.random)
        self.storages: dict[str, Storage] = seeding.make_storages(storages)
        self.volumes = VolumeStore(self.clock, self.storages)
        self.guests: dict[int, Guest] = {}
        self.pools: dict[str, Pool] = {}
        self.access = AccessControl(self.pools, version)
        self.auth = Authenticator(self.access, self.random.randbytes(32))
        self.tasks = TaskEngine(self.clock, self.nodes)
        self.locks = LockTable(self.clock)
        self.files: dict[str, Any] = {"statistics-since": start}
        self.downloads: dict[str, bytes] = {}
        self.outside = Outside()
        self.consoles = Consoles(self)
        self.agent_commands: dict[str, Command] = {}
        self.routes = RouteTable(version)
        self.broadcast = Broadcast(self.nodes, self.guests)
        self.faults = Faults(self)
        self.scheduler = Scheduler(self)
        self.tasks.pace = self.faults.pace
        self.tasks.failure = lambda task, ending: self.faults.failure(task, ending=ending)
        self.others: list[SimulatedCluster] = []
        self.joined: SimulatedCluster | None = None
        self.clock.on_time = self._on_time
        self.broadcast.until(start)

    @classmethod
    def generate(
        cls,
        nodes: int | tuple[str, ...] = 32,
        guests: int = 10_000,
        seed: int = 1,
        version: str = "9.2",
    ) -> Self:
        """Make a large cluster with machines, containers, disks and pools of many kinds.

        Args:
            nodes: How many nodes (``pve1`` and so on), or their names.
            guests: How many guests.
            seed: Chooses what they are.
            version: PVE version whose API it serves.

        Raises:
            ValueError: There are no nodes, fewer than no guests, or no such version.
        """
        if guests < 0:
            raise ValueError(f"a cluster cannot have {guests} guests")
        names = seeding.numbered(nodes) if isinstance(nodes, int) else nodes
        cluster = cls(nodes=names, version=version, seed=seed)
        for name in ("local-lvm", "shared"):
            cluster.storages[name].total *= 1000
        populate(cluster, guests, seed)
        return cluster

    @classmethod
    def load(cls, path: str | Path) -> SimulatedCluster:
        """Read a cluster that `save` wrote: it goes on where it was.

        Raises:
            Unsaveable: It is no saved cluster.
            OSError: The file cannot be read.
        """
        from proxmox_client.testing.saving import load

        return load(path)

    def save(self, path: str | Path, *, unfinished: Unfinished = "refuse") -> None:
        """Write everything it is to a YAML file; see `proxmox_client.testing.saving`.

        Args:
            path: The file. It holds tokens' secrets and is made readable by its owner only.
            unfinished: Running tasks: ``refuse`` to save, or keep them as workers that died
                (``kill``).

        Raises:
            Unsaveable: Tasks run, or a fault holds a function.
            OSError: The file cannot be written.
        """
        from proxmox_client.testing.saving import save

        save(self, path, unfinished=unfinished)

    # --- asking -----------------------------------------------------------------------------

    def handle(self, request: SimRequest) -> SimResponse:
        """Answer a request, letting the clock pass as long as the server would take.

        Raises:
            HostUnreachable: The node that is asked is gone.
            ConnectionLost: A fault ends the connection.
        """
        return self.clock.run(self.conversation(request))

    def conversation(self, request: SimRequest) -> Conversation:
        """Answer a request step by step: yields seconds to wait, returns the response.

        Each step has to run while nobody else touches the cluster (`VirtualClock.lock`).
        """
        return asking.conversation(self, request)

    def call(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None = None,
        *,
        user: str = "root@pam",
    ) -> Any:
        """Do something in a user's name, without credentials and privileges, and return the data.

        Raises:
            PveFault: The cluster refuses.
        """
        return self.clock.run(asking.trusted(self, method, path, params or {}, user))

    @property
    def quorate(self) -> bool:
        """Whether the cluster has quorum."""
        return is_quorate(self)

    @property
    def name(self) -> str:
        """Name of the cluster; empty while a node is alone."""
        known: str = self.files.get("corosync", {}).get("name", "")
        return known or ("pmpc" if len(self.nodes) > 1 else "")

    # --- servers that are alone -------------------------------------------------------------

    def add_server(self, name: str, password: str = "") -> SimulatedCluster:
        """Set up one more server, which is in no cluster yet, in the same network.

        It can be asked through its own object and, by ``via``, through this one; ``POST
        /cluster/config/join`` there makes it a member here.
        """
        lonely = set_up(self, name, password)
        self.clock.on_time = self._on_time
        return lonely

    def servers(self) -> list[SimulatedCluster]:
        """Return this cluster and the others of its network."""
        return [server for server in self.others if server.joined is None] or [self]

    def leave_for(self, cluster: SimulatedCluster) -> None:
        """End being a server of one's own: from now on the cluster answers."""
        self.joined = cluster

    def server(self, name: str) -> SimulatedCluster:
        """Return the one of this network that a node belongs to."""
        found = self.joined or self
        if name in found.nodes:
            return found
        return next((server for server in self.servers() if name in server.nodes), found)

    def _on_time(self, at: float) -> None:
        for server in self.others or (self,):
            if server.joined is None:
                server.broadcast.until(at)

    # --- looking up -------------------------------------------------------------------------

    def guest(self, kind: str, node: str, vmid: int) -> Guest:
        """Return a guest that lives on a node.

        Raises:
            PveFault: Status 500: it does not exist there.
        """
        found = self.guests.get(vmid)
        if found is None or found.node != node or found.kind != kind:
            folder = "qemu-server" if kind == "qemu" else "lxc"
            raise PveFault(
                500, f"Configuration file 'nodes/{node}/{folder}/{vmid}.conf' does not exist"
            )
        return found

    def new_uuid(self) -> str:
        """Return a random uuid."""
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def new_mac(self) -> str:
        """Return a random MAC address with Proxmox's prefix."""
        tail = self.random.randbytes(3)
        return "BC:24:11:" + ":".join(f"{byte:02X}" for byte in tail)

    # --- setting up -------------------------------------------------------------------------

    def create_token(
        self, userid: str, tokenid: str, *, privsep: bool = False, expire: int = 0
    ) -> str:
        """Make an API token and return it whole: ``root@pam!demo=…``."""
        user = self.access.users.setdefault(userid, User(userid))
        secret = self.new_uuid()
        user.tokens[tokenid] = Token(tokenid, secret, privsep=privsep, expire=expire)
        return f"{userid}!{tokenid}={secret}"

    def add_vm(
        self,
        node: str,
        vmid: int,
        config: Mapping[str, object] | None = None,
        *,
        status: str = "stopped",
        template: bool = False,
    ) -> Guest:
        """Put a virtual machine on a node.

        Disks may be ``storage:GiB`` (a volume is made) or name a volume, which is made with the
        given ``size=`` if it does not exist.
        """
        running = status == "running"
        return seeding.add_guest(self, "qemu", node, vmid, config, running, template)

    def add_container(
        self,
        node: str,
        vmid: int,
        config: Mapping[str, object] | None = None,
        *,
        status: str = "stopped",
        template: bool = False,
    ) -> Guest:
        """Put a container on a node; volumes as in `add_vm`."""
        running = status == "running"
        return seeding.add_guest(self, "lxc", node, vmid, config, running, template)

    def add_volume(self, storage: str, volid: str, size: int, *, node: str | None = None) -> Volume:
        """Put a volume on a storage; ``node`` matters only where the storage is not shared."""
        full = volid if volid.startswith(f"{storage}:") else f"{storage}:{volid}"
        return seeding.add_volume(self, full, size, node or next(iter(self.nodes)))

    def edit(self, vmid: int, *, user: str = "alice@pve", **options: object) -> None:
        """Change a guest's options as somebody else would: at once and without a task."""
        guest = self.guests[vmid]
        self.call(
            "PUT", f"/nodes/{guest.node}/{guest.kind}/{vmid}/config", dict(options), user=user
        )

    # --- ways in ----------------------------------------------------------------------------

    def transport(self, via: str = "") -> httpx.BaseTransport:
        """Return a transport for ``httpx.Client`` that asks this cluster in process."""
        from proxmox_client.testing.transport import SimulatorTransport

        return SimulatorTransport(self, via)

    def async_transport(self, via: str = "") -> httpx.AsyncBaseTransport:
        """Return a transport for ``httpx.AsyncClient`` that asks this cluster in process."""
        from proxmox_client.testing.transport import AsyncSimulatorTransport

        return AsyncSimulatorTransport(self, via)

    def asgi(self, via: str = "", speed: float | None = 1.0) -> SimulatorApp:
        """Return an ASGI application for any ASGI server; see `proxmox_client.testing.asgi`.

        Args:
            via: Node that answers; empty means the first.
            speed: Simulated seconds per second while the server runs; None lets waiting move the
                clock at once.
        """
        from proxmox_client.testing.asgi import SimulatorApp

        return SimulatorApp(self, via, speed)

    def serve(self, host: str = "127.0.0.1", port: int = 0, speed: float = 1.0) -> SimulatorServer:
        """Serve the cluster over HTTPS while the returned context is entered.

        The clock follows real time then, ``speed`` times as fast.
        """
        from proxmox_client.testing.server import SimulatorServer

        return SimulatorServer(self, host, port, speed)
