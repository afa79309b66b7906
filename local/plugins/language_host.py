"""Stand-in for ``pulumi-language-python``: runs this project's programs and Python plugins for the Pulumi engine.

Built on the SDK's own LanguageServer, which implements Run for an inline program (pulumi 3.259, proto
``pulumirpc.LanguageRuntime``). docs/deviations/language-host.md says where it differs from the official host.
"""

from __future__ import annotations

import asyncio
import os
import queue
import runpy
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent import futures
from importlib.metadata import distributions
from pathlib import Path
from types import FrameType
from typing import IO, Any

import grpc
import pulumi
from google.protobuf import empty_pb2
from pulumi.automation import _server
from pulumi.runtime import resource
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2, source_pb2

from local.plugins.spare import Spare

_PACK = "pulumi.policy"
"""The SDK's module that runs a policy pack."""
_MESSAGE_BYTES = 400 * 1024 * 1024
"""What the engine and the SDK allow a gRPC message to have."""
_run_in_stack: Callable[[Callable[[], Any]], Awaitable[Any]] = _server.run_in_stack
_stack_trace: Callable[[], source_pb2.StackTrace] = resource._get_stack_trace


async def _legibly(func: Callable[[], Any]) -> None:
    """Run a program; say its own errors as the official host does: a RunError's text alone, else the traceback."""
    try:
        await _run_in_stack(func)
    except (pulumi.RunError, grpc.RpcError):
        raise
    except SystemExit as error:
        if error.code not in (None, 0):
            raise pulumi.RunError(f"The program ended itself with exit code {error.code}.") from None
    except BaseException as error:
        raise pulumi.RunError(_unhandled(error)) from None


def _unhandled(error: BaseException) -> str:
    """An unhandled exception with the frames of the program, ours and the SDK's left out at the top."""
    frames = traceback.TracebackException.from_exception(error)
    hidden = (str(Path(__file__)), str(Path(pulumi.__file__).parent), runpy.__file__, asyncio.__path__[0], "<frozen ")
    first = next((at for at, frame in enumerate(frames.stack) if not frame.filename.startswith(hidden)), 0)
    frames.stack[:] = frames.stack[first:]
    return "Program failed with an unhandled exception:\n" + "".join(frames.format())


def _trace_of_program() -> source_pb2.StackTrace:
    """Where a resource is registered, down to the program's first line.

    Below are frames of this host's, the same for each resource: they made a third of the state, which is written anew
    with each step.
    """
    frames, own = _stack_trace().frames, Path(__file__).as_uri()
    end = next((at for at, frame in enumerate(frames) if frame.pc.uri == own), len(frames))
    return source_pb2.StackTrace(frames=frames[:end])


class LanguageHost(_server.LanguageServer):
    """One engine's language host. spare: an interpreter for the first policy pack, which is at work sooner by it."""

    def __init__(self, spare: Spare | None = None) -> None:
        super().__init__(lambda: None)
        self._one_program = threading.Lock()
        self._spares: list[Spare] = [spare] if spare else []
        self._plugins: set[subprocess.Popen[bytes] | Spare] = set()
        # The SDK has no hooks for how a program's errors are told, and for what is said of where a resource comes from.
        _server.run_in_stack = _legibly
        resource._get_stack_trace = _trace_of_program

    def Handshake(self, request: Any, context: grpc.ServicerContext) -> Any:
        """The engine introduces itself; nothing of it is needed: Run is told all addresses."""
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> Any:
        """The version: the SDK's, which this host follows."""
        return plugin_pb2.PluginInfo(version=_sdk_version())

    def Run(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Run ``__main__.py`` of the program's folder. Programs of one engine run one after the other."""
        folder = Path(request.info.program_directory or request.pwd or Path.cwd())
        entry = folder / (request.info.entry_point or ".")
        with self._one_program:
            before, searched = set(sys.modules), list(sys.path)
            os.chdir(folder)
            sys.path.insert(0, str(entry if entry.is_dir() else entry.parent))
            self.program = lambda: _execute(entry)
            try:
                result = super().Run(request, context)
            finally:
                sys.path[:] = searched
                _forget(set(sys.modules) - before, folder)
        if result.error:  # it has been logged: bailing keeps the engine from saying it a second time
            result.error, result.bail = "", True
        return result

    def RunPlugin(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        """Run a policy pack (kind analyzer) or another plugin written in Python, and pass on what it prints."""
        folder = request.info.program_directory or request.program
        environment = dict(each.partition("=")[::2] for each in request.env) or dict(os.environ)
        if request.kind == "analyzer":
            process = self._pack([*request.args, folder], folder, environment)
        else:
            process = _started([folder, *request.args], request.pwd or folder, environment)
        self._plugins.add(process)
        context.add_callback(lambda: _end(process))
        yield from _printed(process)
        yield language_pb2.RunPluginResponse(exitcode=process.wait())
        self._plugins.discard(process)

    def _pack(
        self, arguments: Sequence[str], folder: str, environment: Mapping[str, str]
    ) -> subprocess.Popen[bytes] | Spare:
        try:
            spare = self._spares.pop()
        except IndexError:
            return _started(["-m", _PACK, *arguments], folder, environment)
        spare.run(_PACK, arguments, folder, environment)
        return spare

    def InstallDependencies(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        """Refused: packages come from the project's requirements."""
        context.abort(
            grpc.StatusCode.UNIMPLEMENTED,
            "The local language host installs no packages: add them to requirements.txt and run `make up` again.",
        )
        yield from ()

    def GetProgramDependencies(self, request: Any, context: grpc.ServicerContext) -> Any:
        """The packages of the virtual environment, for ``pulumi about``."""
        found = sorted((each.metadata["Name"], each.version) for each in distributions())
        dependencies = [language_pb2.DependencyInfo(name=name, version=version) for name, version in found]
        return language_pb2.GetProgramDependenciesResponse(dependencies=dependencies)

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> Any:
        """The engine gives up: end the plugins; a program ends as its resource monitor goes away."""
        self.end_plugins()
        return empty_pb2.Empty()

    def end_plugins(self) -> None:
        """End every plugin that was started."""
        for process in list(self._plugins):
            _end(process)


def _execute(entry: Path) -> None:
    runpy.run_path(str(entry), run_name="__main__")


def _forget(modules: set[str], folder: Path) -> None:
    """Forget the program's own modules, so that the next run reads them anew."""
    for name in modules:
        file = getattr(sys.modules.get(name), "__file__", None)
        if file and Path(file).is_relative_to(folder) and not name.startswith("local."):
            del sys.modules[name]


def _started(arguments: Sequence[str], folder: str, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-u", *arguments],  # -u: the port that a plugin prints must not wait in a buffer
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def _printed(process: subprocess.Popen[bytes] | Spare) -> Iterator[Any]:
    """Both streams of a process as they come, until both are closed."""
    pieces: queue.Queue[tuple[str, bytes] | None] = queue.Queue()

    def read(name: str, stream: IO[bytes]) -> None:
        while piece := os.read(stream.fileno(), 65536):
            pieces.put((name, piece))
        pieces.put(None)

    streams: dict[str, Any] = {"stdout": process.stdout, "stderr": process.stderr}
    for name, stream in streams.items():
        threading.Thread(target=read, args=(name, stream), daemon=True).start()
    for _ in streams:
        while (piece := pieces.get()) is not None:
            name, content = piece
            if name == "stdout":
                yield language_pb2.RunPluginResponse(stdout=content)
            else:
                yield language_pb2.RunPluginResponse(stderr=content)


def _end(process: subprocess.Popen[bytes] | Spare) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()


def _sdk_version() -> str:
    return next(each.version for each in distributions(name="pulumi"))


def main() -> None:
    """Serve on a free loopback port, print it as the engine expects, and go on until the engine is gone."""
    spare = Spare() if sys.platform == "linux" else None  # before gRPC starts threads
    options = [(f"grpc.max_{way}_message_length", _MESSAGE_BYTES) for way in ("send", "receive")]
    server = grpc.server(futures.ThreadPoolExecutor(16), options=options)
    host = LanguageHost(spare)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server)
    port = server.add_insecure_port("127.0.0.1:0")
    parent = os.getppid()
    stopped = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopped.set()

    # A plugin has a process group of its own, so that no Ctrl-C reaches it: this is how the engine stops one.
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, stop)
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    while os.getppid() == parent and not stopped.is_set():  # an engine that was killed can't stop us
        time.sleep(0.2)
    host.end_plugins()
    os._exit(0)


if __name__ == "__main__":
    main()
