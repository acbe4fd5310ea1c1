"""Models behind an OpenAI-compatible server (Ollama, vLLM, llama.cpp): its failures surface as Bedrock's errors."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

from ringwall.errors import RingwallError
from ringwall.sandbox.bedrock.faults import fault
from ringwall.sandbox.bedrock.runtime.models import Prompt, Reply, count_tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ringwall.sandbox.call import AwsError

_STOP_REASONS = {"length": "max_tokens", "content_filter": "content_filtered", "tool_calls": "tool_use"}


class Upstream:
    """Answers through ``POST <url>/v1/chat/completions``.

    Args:
        url: base URL, ``http`` or ``https``.
        names: upstream model name by Bedrock model id; a Bedrock id without an entry is sent as it is.
        api_key: sent as bearer token, if the server wants one.
        timeout: seconds without a byte until Bedrock's ModelTimeoutException.
    """

    def __init__(
        self,
        url: str,
        *,
        names: Mapping[str, str] | None = None,
        api_key: str | None = None,
        timeout: float = 120.0,
    ) -> None:
        if not url.startswith(("http://", "https://")):
            raise RingwallError(
                f"The model upstream {url!r} is not an HTTP URL; give one such as http://127.0.0.1:11434."
            )
        self._url = url.rstrip("/").removesuffix("/v1") + "/v1/chat/completions"
        self._names = dict(names or {})
        self._api_key = api_key
        self._timeout = timeout

    def answer(self, model_id: str, prompt: Prompt) -> Reply:
        """The whole answer."""
        with self._post(model_id, prompt, stream=False) as response:
            try:
                document = json.loads(response.read())
                choice = document["choices"][0]
                text = str(choice["message"]["content"] or "")
            except (ValueError, KeyError, IndexError, TypeError, http.client.HTTPException) as error:
                raise _model_error(502, f"malformed answer of the model server: {error!r}") from error
        return _reply(prompt, text, choice.get("finish_reason"), document.get("usage") or {})

    def stream(self, model_id: str, prompt: Prompt) -> tuple[Iterator[str], Callable[[], Reply]]:
        """The answer as the server streams it."""
        response = self._post(model_id, prompt, stream=True)
        parts: list[str] = []
        finished: list[str] = []

        def read() -> Iterator[str]:
            with response:
                for line in response:
                    if not line.startswith(b"data:") or line[5:].strip() == b"[DONE]":
                        continue
                    try:
                        choice = json.loads(line[5:])["choices"][0]
                        text = str(choice.get("delta", {}).get("content") or "")
                    except (ValueError, KeyError, IndexError, TypeError) as error:
                        raise fault(
                            "bedrock-runtime",
                            "ModelStreamErrorException",
                            f"malformed event of the model server: {error!r}",
                        ) from error
                    finished.extend(filter(None, [choice.get("finish_reason")]))
                    if text:
                        parts.append(text)
                        yield text

        return read(), lambda: _reply(prompt, "".join(parts), finished[-1] if finished else None, {})

    def _post(self, model_id: str, prompt: Prompt, *, stream: bool) -> http.client.HTTPResponse:
        messages = [{"role": "system", "content": text} for text in prompt.system]
        messages += [{"role": role, "content": text} for role, text in prompt.turns]
        body: dict[str, Any] = {
            "model": self._names.get(model_id, model_id),
            "messages": messages,
            "stream": stream,
        }
        options = {
            "max_tokens": prompt.max_tokens,
            "temperature": prompt.temperature,
            "top_p": prompt.top_p,
            "stop": list(prompt.stop) or None,
        }
        body |= {name: value for name, value in options.items() if value is not None}
        headers = {"Content-Type": "application/json"}
        if self._api_key:
            headers["Authorization"] = f"Bearer {self._api_key}"
        request = urllib.request.Request(self._url, json.dumps(body).encode(), headers)  # noqa: S310 - http(s) checked above
        try:
            response: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=self._timeout)  # noqa: S310
        except urllib.error.HTTPError as error:
            text = error.read(2000).decode("utf-8", "replace")
            if error.code == 429:
                raise fault("bedrock-runtime", "ThrottlingException", text) from error
            raise _model_error(error.code, text) from error
        except TimeoutError as error:
            raise fault(
                "bedrock-runtime", "ModelTimeoutException", "The model server did not answer in time."
            ) from error
        except OSError as error:
            raise fault(
                "bedrock-runtime",
                "ServiceUnavailableException",
                f"The model server at {self._url} is unreachable: {error}",
            ) from error
        return response


def _model_error(status: int, message: str) -> AwsError:
    return fault(
        "bedrock-runtime",
        "ModelErrorException",
        message,
        originalStatusCode=status,
        resourceName="model-upstream",
    )


def _reply(prompt: Prompt, text: str, finish: str | None, usage: Mapping[str, Any]) -> Reply:
    return Reply(
        text,
        int(usage.get("prompt_tokens") or prompt.tokens),
        int(usage.get("completion_tokens") or count_tokens(text)),
        _STOP_REASONS.get(finish or "", "end_turn"),
    )
