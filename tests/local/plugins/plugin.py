"""A stand-in as a process of its own, driven as the engine drives it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2 as rpc
from pulumi.runtime.proto import provider_pb2_grpc

from local.instance import REPOSITORY
from local.plugins.values import decode, encode


class Refused(Exception):
    """What the plugin told the engine. detail: set when a resource exists in part."""

    def __init__(self, error: grpc.RpcError) -> None:
        super().__init__(error.details())  # type: ignore[attr-defined]  # of a call
        pairs = dict(error.trailing_metadata())  # type: ignore[attr-defined]
        self.partial = b"ErrorResourceInitFailed" in pairs.get("grpc-status-details-bin", b"")


class Plugin:
    """One running plugin process, configured once."""

    def __init__(self, module: str, environment: dict[str, str], config: dict[str, Any]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"local.plugins.{module}"],
            cwd=REPOSITORY,
            env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **environment},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout
        self._channel = grpc.insecure_channel(f"127.0.0.1:{self._process.stdout.readline().strip()}")
        self.stub = provider_pb2_grpc.ResourceProviderStub(self._channel)
        try:
            self.configured = self.call("Configure", rpc.ConfigureRequest(args=encode(config), acceptSecrets=True))
        except Refused:
            self.stop()
            raise

    def stop(self) -> None:
        self._channel.close()
        self._process.terminate()
        self._process.wait(10)
        assert self._process.stdout
        self._process.stdout.close()

    def call(self, name: str, request: Any) -> Any:
        try:
            return getattr(self.stub, name)(request, timeout=240)
        except grpc.RpcError as error:
            raise Refused(error) from None

    @staticmethod
    def urn(token: str, name: str = "it") -> str:
        return f"urn:pulumi:test::project::{token}::{name}"

    def check(
        self, token: str, news: dict[str, Any], olds: dict[str, Any] | None = None, seed: bytes = b"seed", **more: Any
    ) -> tuple[dict[str, Any], dict[str, str]]:
        """Checked inputs, and reasons of failures by property."""
        request = rpc.CheckRequest(
            urn=self.urn(token), news=encode(news), olds=encode(olds or {}), randomSeed=seed, **more
        )
        answer = self.call("Check", request)
        return decode(answer.inputs), {each.property: each.reason for each in answer.failures}

    def checked(self, token: str, news: dict[str, Any], olds: dict[str, Any] | None = None) -> dict[str, Any]:
        inputs, failures = self.check(token, news, olds)
        assert not failures
        return inputs

    def create(self, token: str, inputs: dict[str, Any], **more: Any) -> tuple[str, dict[str, Any]]:
        answer = self.call("Create", rpc.CreateRequest(urn=self.urn(token), properties=encode(inputs), **more))
        return answer.id, decode(answer.properties)

    def update(
        self, token: str, identity: str, state: dict[str, Any], news: dict[str, Any], **more: Any
    ) -> dict[str, Any]:
        request = rpc.UpdateRequest(id=identity, urn=self.urn(token), olds=encode(state), news=encode(news), **more)
        return decode(self.call("Update", request).properties)

    def diff(
        self, token: str, identity: str, old: dict[str, Any], state: dict[str, Any], new: dict[str, Any]
    ) -> rpc.DiffResponse:
        request = rpc.DiffRequest(
            id=identity, urn=self.urn(token), old_inputs=encode(old), olds=encode(state), news=encode(new)
        )
        return self.call("Diff", request)

    def read(
        self, token: str, identity: str, state: dict[str, Any] | None = None, inputs: dict[str, Any] | None = None
    ) -> tuple[str, dict[str, Any], dict[str, Any]]:
        request = rpc.ReadRequest(
            id=identity, urn=self.urn(token), properties=encode(state or {}), inputs=encode(inputs or {})
        )
        answer = self.call("Read", request)
        return answer.id, decode(answer.properties), decode(answer.inputs)

    def delete(self, token: str, identity: str, state: dict[str, Any] | None = None) -> None:
        request = rpc.DeleteRequest(id=identity, urn=self.urn(token), properties=encode(state or {}))
        self.call("Delete", request)

    def invoke(self, token: str, arguments: dict[str, Any]) -> dict[str, Any]:
        answer = self.call("Invoke", rpc.InvokeRequest(tok=token, args=encode(arguments)))
        return decode(getattr(answer, "return"))

    def cancel(self) -> None:
        self.call("Cancel", empty_pb2.Empty())
