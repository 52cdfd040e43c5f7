"""`vae-explorer`: starts the app by one command, with the settings that lie beside it."""

import argparse
import socket
import sys
from pathlib import Path

__all__ = ["EVERYWHERE", "main", "streamlit_arguments"]

SERVER = Path(__file__).with_name("server.py")  # Streamlit reads the settings in .streamlit/ beside it
LOCAL = "localhost"
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - what a person asks for who opens the app to a class room

EPILOG = """\
By default the app listens on this machine only. To open it to a class room:

  vae-explorer --host 0.0.0.0                       on every address of this machine
  vae-explorer --host 0.0.0.0 --name 192.168.1.20   the same; other machines use this address
  vae-explorer --host 192.168.1.20 --port 9000      on one address and another port

Everybody who can reach it can use it; there are no accounts. It answers to these names and this machine's own alone:
VAE_ALLOWED_HOSTS=vae.example.org,other.example.org allows more. What follows -- goes to `streamlit run` as it is.
"""


def main(arguments: list[str] | None = None) -> None:
    """Start the server and wait until it ends; exits with Streamlit's status.

    Args:
        arguments: Words of the command line after the program's name; those of this process when not given.
    """
    from streamlit.web import cli  # takes a second; --help comes at once

    sys.exit(cli.main(streamlit_arguments(sys.argv[1:] if arguments is None else arguments)))


def streamlit_arguments(arguments: list[str]) -> list[str]:
    """The words of the `streamlit` command that starts the app as asked; exits where the options are wrong."""
    own, passed_on = _cut(arguments)
    options = _parser().parse_args(own)
    words = ["run", str(SERVER), "--server.address", options.host, "--server.port", str(options.port)]
    if name := options.name or (socket.gethostname() if options.host in EVERYWHERE else None):
        words += ["--browser.serverAddress", name]
    return [*words, *passed_on]


def _cut(arguments: list[str]) -> tuple[list[str], list[str]]:
    at = arguments.index("--") if "--" in arguments else len(arguments)
    return arguments[:at], arguments[at + 1 :]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="vae-explorer",
        description="Explore the latent space of a variational autoencoder live in the browser.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", default=LOCAL, help=f"address to listen on ({LOCAL}: this machine only)")
    parser.add_argument("--port", type=_port, default=8501, help="port to listen on (8501)")
    parser.add_argument("--name", help="name or address by which other machines reach this one (its host name)")
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 to 65535, got {text!r}")
    return int(text)
