"""What the stand-in providers share: a threaded gRPC server of Pulumi's ResourceProvider protocol, and its errors.

Protocol: pulumi/pulumi, proto/pulumi/provider.proto, engine 3.259.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent import futures
from typing import Any, TypeVar

import grpc
from google.protobuf import any_pb2, empty_pb2
from google.rpc import code_pb2, status_pb2
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, plugin_pb2, provider_pb2_grpc
from pulumi.runtime.proto import provider_pb2 as rpc

from local.plugins.values import UNKNOWN, UnsupportedValue, decode, encode, plain

_log = logging.getLogger(__name__)
_MESSAGE_BYTES = 400 * 2**20  # as the engine's own limit
_THREADS = 64  # a waiting create holds a thread; the engine runs 4 a core by default
_Call = TypeVar("_Call", bound=Callable[..., Any])


class ProviderError(Exception):
    """What the user is told when an operation fails; never holds a secret."""


class PartlyDone(ProviderError):
    """The resource exists, but something about it failed: the engine keeps it in the state and tries again."""

    def __init__(self, identity: str, inputs: Mapping[str, Any], outputs: Mapping[str, Any], reason: str) -> None:
        super().__init__(reason)
        self.detail = rpc.ErrorResourceInitFailed(
            id=identity, properties=encode(outputs), inputs=encode(inputs), reasons=[reason]
        )


def answered(call: _Call) -> _Call:
    """Turn a call's exceptions into gRPC statuses."""

    @functools.wraps(call)
    def wrapped(self: Provider, request: Any, context: grpc.ServicerContext) -> Any:
        try:
            return call(self, request, context)
        except PartlyDone as error:
            detail = any_pb2.Any()
            detail.Pack(error.detail)
            status = status_pb2.Status(code=code_pb2.UNKNOWN, message=str(error), details=[detail])
            context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
            context.abort(grpc.StatusCode.UNKNOWN, str(error))
        except (ProviderError, UnsupportedValue) as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))
        except grpc.RpcError:
            raise
        except Exception as error:
            _log.exception("%s failed", call.__name__)
            where = type(error).__name__
            context.abort(grpc.StatusCode.INTERNAL, f"The stand-in failed in {call.__name__}: {where}; see its log.")

    return wrapped  # type: ignore[return-value]  # same signature


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """Base of a stand-in. name: package, e.g. "azure-native". version: of the SDK that it stands in for."""

    name = ""
    version = ""

    def __init__(self) -> None:
        self.cancelled = threading.Event()
        self._engine: engine_pb2_grpc.EngineStub | None = None

    def configure(self, config: dict[str, Any]) -> None:
        """Take the provider's configuration; values may be unknown in a preview. Raises ProviderError."""
        raise NotImplementedError

    def Handshake(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Connect to the engine for log messages, and say what we can."""
        self._connect(request.engine_address)
        return rpc.ProviderHandshakeResponse(
            accept_secrets=True, accept_resources=True, accept_outputs=True, supports_autonaming_configuration=True
        )

    def Attach(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Connect to the engine that debugs us."""
        self._connect(request.address)
        return empty_pb2.Empty()

    def _connect(self, address: str) -> None:
        if address:
            self._engine = engine_pb2_grpc.EngineStub(grpc.insecure_channel(address))

    def tell(self, urn: str, message: str, *, warning: bool = False, passing: bool = True) -> None:
        """Show a message at a resource. passing: as its status, replaced by the next one."""
        if self._engine is None:
            return
        severity = engine_pb2.WARNING if warning else engine_pb2.INFO
        try:
            self._engine.Log(
                engine_pb2.LogRequest(severity=severity, message=message, urn=urn, ephemeral=passing), timeout=5
            )
        except grpc.RpcError as error:
            _log.debug("the engine took no message: %s", error)

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Our version."""
        return plugin_pb2.PluginInfo(version=self.version)

    def GetSchema(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Refused: a stand-in has no schema, so `pulumi import` needs --generate-code=false."""
        context.abort(
            grpc.StatusCode.UNIMPLEMENTED,
            f"The stand-in for {self.name} has no schema; use --generate-code=false, or the official plugin.",
        )

    def GetMapping(self, request: Any, context: grpc.ServicerContext) -> Any:
        """No Terraform provider is behind this."""
        return rpc.GetMappingResponse()

    @answered
    def CheckConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Configuration is judged in Configure."""
        return rpc.CheckResponse(inputs=request.news)

    @answered
    def DiffConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        """A change of configuration never replaces a provider, hence no resource of it."""
        old, new = (plain(decode(each)) for each in (request.old_inputs, request.news))
        changed = sorted(key for key in {*old, *new} if old.get(key) != new.get(key))
        some = rpc.DiffResponse.DIFF_SOME if changed else rpc.DiffResponse.DIFF_NONE
        return rpc.DiffResponse(changes=some, diffs=changed)

    @answered
    def Configure(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Take the configuration."""
        self.configure(plain(decode(request.args)))
        return rpc.ConfigureResponse(
            acceptSecrets=True,
            acceptResources=True,
            acceptOutputs=True,
            supportsPreview=True,
            supports_autonaming_configuration=True,
        )

    def Parameterize(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Refused."""
        context.abort(
            grpc.StatusCode.UNIMPLEMENTED, f"The stand-in for {self.name} serves the SDK's own API versions only."
        )

    def Construct(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Refused: components of a provider need the official plugin."""
        context.abort(
            grpc.StatusCode.UNIMPLEMENTED,
            f"{request.type} is a component of the official {self.name} plugin; the stand-in has none. "
            "Declare its resources one by one.",
        )

    def Call(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Refused likewise."""
        context.abort(grpc.StatusCode.UNIMPLEMENTED, f"The stand-in for {self.name} has no method {request.tok}.")

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Stop waiting for anything."""
        self.cancelled.set()
        return empty_pb2.Empty()


def unknown_setting(config: Mapping[str, Any], known: frozenset[str], name: str) -> None:
    """Raises ProviderError for a configuration key that the provider does not know."""
    strange = sorted(set(config) - known)
    if strange:
        raise ProviderError(
            f"The stand-in for {name} does not know the setting {name}:{strange[0]}. "
            f"It knows {', '.join(sorted(known))}."
        )


def is_unknown(value: Any) -> bool:
    """Whether a setting is known only after deployment."""
    return value == UNKNOWN


def serve(provider: Provider) -> None:
    """Serve on a free port, print it as the engine expects, and go on until the engine is gone."""
    level = os.environ.get("TRIBUTARY_PLUGIN_LOG", "WARNING")
    logging.basicConfig(stream=sys.stderr, level=level, format="%(name)s: %(message)s")
    options = [(f"grpc.max_{way}_message_length", _MESSAGE_BYTES) for way in ("send", "receive")]
    server = grpc.server(futures.ThreadPoolExecutor(_THREADS), options=options)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
    port = server.add_insecure_port("127.0.0.1:0")
    parent = os.getppid()
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    # The engine has put us into a process group of our own, so an interrupt is its word that it is done with us.
    with contextlib.suppress(KeyboardInterrupt):
        while os.getppid() == parent:  # an engine that was killed can't stop us
            time.sleep(1)
    provider.cancelled.set()
    server.stop(None)
    os._exit(0)  # threads that still wait for an answer must not hold the process
