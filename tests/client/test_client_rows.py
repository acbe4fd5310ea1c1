"""What may be done to a call, row by row, and the test that does it.

A row is a way out, or a way to be misled, that was measured on boto3 and its users. Each is tried against a server that
keeps every byte it is sent: the test asserts on what arrived there, most often nothing.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path

import pytest

ROWS: Mapping[str, tuple[str, ...]] = {
    # added
    "guardrail added to Converse, InvokeModel and their streams": ("bytes.test_the_guardrail_is_in_the_bytes",),
    "guardrail headers covered by the signature": ("bytes.test_the_guardrail_headers_are_signed",),
    "metadata added, and not to be evicted": (
        "bytes.test_declared_metadata_cannot_be_evicted", "tampering.test_declared_metadata_is_in_what_leaves",
    ),
    # asked for by the caller
    "a model that is not declared, an ARN, a prompt, a router": ("bytes.test_an_undeclared_model_is_refused",),
    "another guardrail, its DRAFT, another version": (
        "bytes.test_another_guardrail_is_refused", "bytes.test_a_draft_must_be_asked_for_by_name",
        "tampering.test_a_version_alone_is_checked_too",
    ),
    "an operation that cannot carry a guardrail": ("bytes.test_operations_without_a_guardrail_are_refused",),
    "a search's filter or order made by another model": (
        "bytes.test_a_search_runs_no_other_model", "bytes.test_a_search_that_cannot_be_read_does_not_leave",
    ),
    "an operation of a later botocore": ("bytes.test_a_new_operation_is_refused",),
    "another Region": ("way.test_another_region_is_refused",),
    "another host": ("way.test_an_undeclared_endpoint_is_refused",),
    "no TLS, or none that is verified": (
        "way.test_plain_http_is_refused", "way.test_tls_cannot_be_switched_off",
        "way.test_tls_cannot_be_switched_off_behind_the_session", "way.test_a_server_of_tls_1_1_is_refused",
    ),
    "other credentials, another signature": (
        "way.test_other_credentials_are_refused", "bytes.test_other_signatures_are_refused",
        "tampering.test_a_client_that_is_told_not_to_sign",
    ),
    "a presigned URL": ("bytes.test_nothing_is_presigned",),
    "a service that runs models unguarded, or Bedrock by another name": (
        "bytes.test_sibling_services_are_refused", "way.test_bedrock_by_another_name_is_refused",
    ),
    # changed by a handler of somebody else's
    "model swapped in provide-client-params": ("bytes.test_a_model_swapped_by_another_handler_does_not_leave",),
    "body stripped or edited in before-call": ("bytes.test_a_body_edited_later_does_not_leave",),
    "header stripped after signing, most specific event too": (
        "bytes.test_a_header_removed_after_signing_does_not_leave",
    ),
    "header put back after signing": ("bytes.test_a_header_added_after_signing_does_not_leave",),
    "anything changed in before-sign, request-created or before-send, cold and warm": (
        "tampering.test_a_tampered_call_does_not_leave", "bytes.test_a_model_swapped_in_the_url_does_not_leave",
        "way.test_an_endpoint_moved_by_another_handler_does_not_leave",
    ),
    "signature of somebody else's, by the context, the signer, or anew": (
        "attacks.test_a_signature_of_others_does_not_leave", "attacks.test_the_assumed_roles_keys_are_the_clients",
        "attacks.test_a_client_of_the_session_with_other_keys_is_not_made",
    ),
    "HTTP session, emitter or steps of a client replaced": (
        "attacks.test_another_http_session_sends_nothing", "attacks.test_another_emitter_changes_nothing",
        "attacks.test_steps_of_botocores_own_class_are_verified",
    ),
    "signature for another Region or service": (
        "bytes.test_a_signature_for_another_region_or_service_does_not_leave",
    ),
    "stream made asynchronous": ("tampering.test_a_stream_made_asynchronous_on_the_way_does_not_leave",),
    "our handlers taken off, the decision left out": ("bytes.test_the_verification_stands_without_a_decision",),
    "values changed by another thread after the decision": (
        "tampering.test_a_mapping_changed_after_the_check_does_not_count",
    ),
    "service model that knows no guardrail": ("tampering.test_a_model_of_the_service_that_drops_the_guardrail",),
    # the environment
    "bearer token of the environment": ("bytes.test_a_bearer_token_of_the_environment_never_wins",),
    "endpoints of environment, profile and its services section": (
        "way.test_endpoints_of_the_environment_are_ignored", "way.test_endpoints_of_a_profile_are_ignored",
        "way.test_services_of_a_profile_are_ignored",
    ),
    "every variable that botocore knows, at once": (
        "attacks.test_no_setting_of_the_environment_changes_what_leaves",
        "attacks.test_nobody_is_told_of_calls_by_udp",
    ),
    "proxies of the environment, and those that read along": (
        "way.test_proxies_of_the_environment_are_ignored", "way.test_a_proxy_that_would_read_calls_is_refused",
    ),
    "certificate authorities of the environment": ("way.test_certificate_authorities_of_the_environment_are_ignored",),
    "keys of connections written to a file": ("way.test_no_keys_of_connections_are_written",),
    # the answer
    "redirect": ("bytes.test_a_redirect_is_not_followed",),
    "generation that timed out, requested once": ("retries.test_a_generation_that_timed_out_is_asked_for_once",),
    "four forms of answer, the caller's objects and types": (
        "outcomes.test_an_answer", "outcomes.test_streams_are_botocores_own_type", "outcomes.test_a_body_reads_as_before",
    ),
    "reset, stall, cut stream, expired token: a typed error within the deadline": (
        "deadlines.test_a_server_that_says_nothing", "deadlines.test_a_connection_that_ends_before_the_answer",
        "deadlines.test_a_stream_that_breaks", "deadlines.test_silence_within_a_stream",
        "retries.test_an_expired_token_is_not_tried_again",
    ),
    # who makes the client
    "client made by the botocore session, or by somebody else's": (
        "bytes.test_a_client_made_by_the_botocore_session_is_guarded",
        "seams.test_somebody_elses_session_is_held_to_the_same_rules",
    ),
    "anthropic's middleware": ("seams.test_a_request_gets_the_guardrail", "seams.test_a_request_outside_is_refused"),
    # credentials
    "a thousand threads while credentials end": (
        "refresh.test_a_thousand_threads_lose_no_call_while_credentials_end",
        "refresh.test_threads_that_are_refused_together_renew_once",
    ),
    "session shorter than botocore's refresh": ("credentials.test_a_short_session_is_refused",),
}  # fmt: skip
FRAMEWORKS: Mapping[str, tuple[str, ...]] = {
    # in a file that needs them installed: sought in its text
    "LangChain": ("langchain_converse", "langchain_invoke_model", "langchain_is_refused", "a_langchain_agent_with_tools"),
    "Strands": ("strands", "strands_is_refused"),
    "pydantic-ai": ("pydantic_ai", "pydantic_ai_is_refused"),
    "instructor": ("instructor",),
    "LlamaIndex": ("llama_index", "llama_index_is_refused"),
    "aiobotocore": ("aiobotocore", "aiobotocore_is_refused", "aiobotocore_after_everybody_else"),
    "anthropic": ("anthropic", "anthropic_is_refused"),
    "OpenTelemetry's instrumentation of botocore": ("opentelemetrys_own_instrumentation",),
}  # fmt: skip


@pytest.mark.parametrize("row", ROWS)
def test_each_row_has_its_test(row: str) -> None:
    for name in ROWS[row]:
        module, _, test = name.partition(".")
        assert callable(getattr(importlib.import_module(f"client.test_client_{module}"), test)), name


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_each_framework_has_its_test(framework: str) -> None:
    text = Path(__file__).with_name("test_client_frameworks.py").read_text()
    for name in FRAMEWORKS[framework]:
        assert f"def test_{name}(" in text
