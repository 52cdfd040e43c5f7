"""What a class room asks of the live channel: many clients at once, each 20 times a second.

Each client sends a DECODE question at every tick, whether or not the last answer has come. A latency runs from
the tick, so a generator or a server that falls behind cannot hide it. `lost` are questions without an answer two
seconds after the last tick; `merged` are answers that took longer than a tick, in which the page, which keeps one
question in flight, would have skipped a value; `late` are ticks at which this generator itself sent more than
5 ms too late, because it shares the machine with the server. The yardstick is one client alone.
"""

import argparse
import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from app.wire.protocol import ANSWER_HEADER, HEADER, Kind, ProjectionKind
from benchmarks.common import percentile, print_head, print_table, print_verdict, running_server, wanted_models
from vae_core.models.config_file import read_config
from vae_core.models.vae import CONFIG_FILE
from vae_core.store.stored_models import model_folder

LATE_SECONDS = 0.005
GRACE_SECONDS = 2.0  # for answers after the last tick
WARM_UP_SECONDS = 1.0  # before each run, not counted
P95_MS = 50  # of a full class, at most; our own target: one tick at the default rate, so that little is merged


@dataclass
class Client:
    """One page's questions: when each was due, when it was sent and when it was answered, seconds."""

    due: list[float] = field(default_factory=list)
    sent: list[float] = field(default_factory=list)
    answered: dict[int, float] = field(default_factory=dict)


def main() -> None:
    options = parse_options()
    models = wanted_models(options.model)
    print_head(f"Load: {options.clients} live clients with {options.rate} questions a second each")
    rows, met = [], True
    with running_server() as server:
        for name in models:
            for clients in (1, options.clients):
                asyncio.run(ask(server.address, name, clients, options.rate, WARM_UP_SECONDS))
                result = asyncio.run(ask(server.address, name, clients, options.rate, options.seconds))
                rows.append([f"{name}, {clients} client{'s' if clients > 1 else ''}", *cells(result, options.rate)])
            met = met and lost(result) == 0 and percentile(latencies(result), 95) <= P95_MS
    print_table(["who asks", "questions", "p50 ms", "p95 ms", "p99 ms", "lost", "merged", "late"], rows)
    target = f"{options.clients} clients, every model: none lost, p95 at most {P95_MS} ms (our own target)"
    print_verdict(target, met=met)


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Latency of the live channel under the load of a class room.")
    parser.add_argument("--model", help="one stored model; default: three of them")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each run (default: %(default)s)")
    parser.add_argument("--clients", type=int, default=30, help="at once (default: %(default)s)")
    parser.add_argument(
        "--rate", type=float, default=20, help="questions a second of each client (default: %(default)s)"
    )
    return parser.parse_args()


async def ask(address: str, model: str, clients: int, rate: float, seconds: float) -> list[Client]:
    """All clients at once, their ticks spread evenly over one tick's time."""
    url = f"ws://{address}/live/models/{model}/socket"
    latent_dim = read_config(model_folder(model) / CONFIG_FILE).latent_dim
    sockets = [await connect(url, compression=None) for _ in range(clients)]
    start = time.perf_counter() + 0.1
    ticks = [start + index / clients / rate + np.arange(round(seconds * rate)) / rate for index in range(clients)]
    codes = [np.random.default_rng(index).standard_normal((len(ticks[0]), latent_dim)) for index in range(clients)]
    try:
        return list(await asyncio.gather(*map(one_client, sockets, ticks, codes)))
    finally:
        await asyncio.gather(*(socket.close() for socket in sockets))


async def one_client(socket: ClientConnection, ticks: np.ndarray, codes: np.ndarray) -> Client:
    """Ask at every tick while another task takes the answers."""
    client = Client(due=ticks.tolist())
    listener = asyncio.create_task(listen(socket, client))
    try:
        for number, (due, z) in enumerate(zip(client.due, codes, strict=True)):
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            await socket.send(question(number, z))
            client.sent.append(time.perf_counter())
        await asyncio.wait([listener], timeout=GRACE_SECONDS)
    except ConnectionClosed:
        pass  # what was not answered counts as lost
    listener.cancel()
    return client


async def listen(socket: ClientConnection, client: Client) -> None:
    """Note when each answer comes; ends when all have."""
    try:
        while len(client.answered) < len(client.due):
            number, _ = ANSWER_HEADER.unpack_from(await socket.recv(decode=False))
            client.answered[number] = time.perf_counter()
    except ConnectionClosed:
        return


def question(number: int, z: np.ndarray) -> bytes:
    """A DECODE question as Explore asks it: with the place on the map that it shows first."""
    projection = ProjectionKind.UMAP if len(z) > 2 else ProjectionKind.AXES
    return HEADER.pack(Kind.DECODE, projection, 0, 1, number) + z.astype("<f4").tobytes()


def latencies(clients: Sequence[Client]) -> list[float]:
    """From tick to answer, ms."""
    return [1000 * (at - client.due[number]) for client in clients for number, at in client.answered.items()]


def lost(clients: Sequence[Client]) -> int:
    """Questions without an answer."""
    return sum(len(client.due) - len(client.answered) for client in clients)


def cells(clients: Sequence[Client], rate: float) -> list[str]:
    """A row's figures as text."""
    taken = latencies(clients)
    late = sum(at - due > LATE_SECONDS for client in clients for due, at in zip(client.due, client.sent, strict=False))
    counts = [lost(clients), sum(latency > 1000 / rate for latency in taken), late]
    asked = sum(len(client.due) for client in clients)
    return [str(asked), *(f"{percentile(taken, share):.1f}" for share in (50, 95, 99)), *map(str, counts)]


if __name__ == "__main__":
    main()
