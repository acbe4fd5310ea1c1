"""Evaluating texts against one guardrail version.

Follows "How Amazon Bedrock Guardrails works" of the Bedrock user guide: every policy looks at every text; one blocking
finding replaces everything with the blocked message; otherwise masks are applied; detect-only findings are reported.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ringwall.sandbox.bedrock.evaluation import content, pii, topics
from ringwall.sandbox.bedrock.evaluation.regexes import compile_pattern, spans
from ringwall.sandbox.bedrock.evaluation.text import Folded, fold
from ringwall.sandbox.bedrock.evaluation.words import PROFANITY, WordList

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

TEXT_UNIT = 1000
_DONE = {"BLOCK": "BLOCKED", "ANONYMIZE": "ANONYMIZED", "NONE": "NONE"}
POLICIES = (
    "topicPolicy",
    "contentPolicy",
    "wordPolicy",
    "sensitiveInformationPolicy",
    "contextualGroundingPolicy",
)


@dataclass(frozen=True, slots=True)
class Grounding:
    """What an answer is checked against: the text of its sources and the user's query."""

    sources: str
    query: str


@dataclass(frozen=True, slots=True)
class Question:
    """One evaluation.

    Attributes:
        source: ``INPUT`` or ``OUTPUT``.
        texts: what is guarded.
        prompt_attacks: whether PROMPT_ATTACK is evaluated (InvokeModel without input tags does not).
        grounding: sources and query for contextual grounding; ``None`` = it is not evaluated.
        full: report also what was not detected (``outputScope=FULL``, ``trace=enabled_full``).
        total: characters of the whole request, for the coverage figure; ``None`` = those of ``texts``.
    """

    source: str
    texts: tuple[str, ...]
    prompt_attacks: bool = True
    grounding: Grounding | None = None
    full: bool = False
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What one guardrail said about one question.

    Attributes:
        blocked: a finding blocks.
        masked: a finding was masked.
        texts: the texts with masks applied, in the order of the question's.
        assessment: in the API's shape (``GuardrailAssessment``), without ``appliedGuardrailDetails``.
        usage: ``GuardrailUsage``.
        intervening: names of policies with a finding that blocks or masks (``wordPolicy``).
    """

    blocked: bool
    masked: bool
    texts: tuple[str, ...]
    assessment: Mapping[str, Any]
    usage: Mapping[str, int]
    intervening: tuple[str, ...]

    @property
    def intervened(self) -> bool:
        """Whether the guardrail blocked or masked anything."""
        return self.blocked or self.masked


@dataclass
class _Findings:
    """Findings of one evaluation, collected policy by policy."""

    topics: list[dict[str, Any]] = field(default_factory=list)
    filters: list[dict[str, Any]] = field(default_factory=list)
    custom_words: list[dict[str, Any]] = field(default_factory=list)
    managed_words: list[dict[str, Any]] = field(default_factory=list)
    entities: list[dict[str, Any]] = field(default_factory=list)
    regexes: list[dict[str, Any]] = field(default_factory=list)
    grounding: list[dict[str, Any]] = field(default_factory=list)

    def by_policy(self) -> dict[str, list[dict[str, Any]]]:
        return {
            "topicPolicy": self.topics,
            "contentPolicy": self.filters,
            "wordPolicy": self.custom_words + self.managed_words,
            "sensitiveInformationPolicy": self.entities + self.regexes,
            "contextualGroundingPolicy": self.grounding,
        }

    def assessment(self) -> dict[str, Any]:
        """The policies that have something to report, with every list that the API requires."""
        shaped: dict[str, Any] = {
            "topicPolicy": {"topics": self.topics},
            "contentPolicy": {"filters": self.filters},
            "wordPolicy": {"customWords": self.custom_words, "managedWordLists": self.managed_words},
            "sensitiveInformationPolicy": {"piiEntities": self.entities, "regexes": self.regexes},
            "contextualGroundingPolicy": {"filters": self.grounding},
        }
        return {name: shaped[name] for name, findings in self.by_policy().items() if findings}


def action_for(rule: Mapping[str, Any], source: str) -> str | None:
    """A rule's action for one direction (BLOCK, ANONYMIZE, NONE), or ``None`` where it is not enabled."""
    side = source.lower()
    if not rule.get(f"{side}Enabled", True):
        return None
    return str(rule.get(f"{side}Action") or rule.get("action") or "BLOCK")


class CompiledGuardrail:
    """A guardrail version, ready to evaluate. Built from CreateGuardrail's configuration blocks."""

    def __init__(self, configuration: Mapping[str, Any]) -> None:
        def block(name: str, member: str) -> tuple[Mapping[str, Any], ...]:
            return tuple((configuration.get(name) or {}).get(member) or ())

        self.topics = block("topicPolicyConfig", "topicsConfig")
        self.filters = block("contentPolicyConfig", "filtersConfig")
        self.words = block("wordPolicyConfig", "wordsConfig")
        self.managed = block("wordPolicyConfig", "managedWordListsConfig")
        self.entities = block("sensitiveInformationPolicyConfig", "piiEntitiesConfig")
        self.regexes = block("sensitiveInformationPolicyConfig", "regexesConfig")
        self.grounding = block("contextualGroundingPolicyConfig", "filtersConfig")

    @cached_property
    def _word_list(self) -> WordList:
        return WordList(str(word["text"]) for word in self.words)

    @cached_property
    def _topics(self) -> tuple[topics.Topic, ...]:
        return tuple(
            topics.Topic.of(t["name"], t["definition"], t.get("examples") or ()) for t in self.topics
        )

    def evaluate(self, question: Question) -> Evaluation:
        """Evaluate the question's texts against every policy that is enabled for its direction."""
        folded = tuple(fold(text) for text in question.texts)
        findings = _Findings()
        for text in folded:
            self._find_topics(text, question, findings)
            self._find_content(text, question, findings)
            self._find_words(text, question, findings)
        texts = tuple(self._find_sensitive(text, question.source, findings) for text in folded)
        self._find_ungrounded(question, findings)
        actions = {name: {f["action"] for f in found} for name, found in findings.by_policy().items()}
        usage = self._usage(question)
        return Evaluation(
            blocked=any("BLOCKED" in found for found in actions.values()),
            masked=any("ANONYMIZED" in found for found in actions.values()),
            texts=texts,
            assessment=findings.assessment() | {"invocationMetrics": _metrics(question, usage)},
            usage=usage,
            intervening=tuple(name for name in POLICIES if actions[name] - {"NONE"}),
        )

    def _find_topics(self, text: Folded, question: Question, findings: _Findings) -> None:
        for rule, topic in zip(self.topics, self._topics, strict=True):
            action = action_for(rule, question.source)
            if action is None:
                continue
            detected = topic.is_in(text)
            if detected or question.full:
                _add(
                    findings.topics,
                    {
                        "name": rule["name"],
                        "type": "DENY",
                        "action": _DONE[action if detected else "NONE"],
                        "detected": detected,
                    },
                    same=("name",),
                )

    def _find_content(self, text: Folded, question: Question, findings: _Findings) -> None:
        clean = content.is_clean(text) if self.filters else True
        for rule in self.filters:
            kind, strength = rule["type"], rule[f"{question.source.lower()}Strength"]
            action = action_for(rule, question.source)
            if action is None or strength == "NONE":
                continue
            if kind == "PROMPT_ATTACK" and not (question.prompt_attacks and question.source == "INPUT"):
                continue
            confidence = "NONE" if clean else content.confidence_of(kind, text)
            detected = content.acts(strength, confidence)
            if detected or question.full:
                finding = {
                    "type": kind,
                    "confidence": confidence,
                    "filterStrength": strength,
                    "action": _DONE[action if detected else "NONE"],
                    "detected": detected,
                }
                _add(findings.filters, finding, same=("type",))

    def _find_words(self, text: Folded, question: Question, findings: _Findings) -> None:
        for match in self._word_list.search(text):
            action = action_for(self.words[match.index], question.source)
            if action is not None:
                _add(
                    findings.custom_words,
                    {"match": match.match, "action": _DONE[action], "detected": True},
                    same=("match", "action"),
                )
        for rule in self.managed:
            action = action_for(rule, question.source)
            for match in _PROFANITY.search(text) if action is not None else ():
                finding = {
                    "match": match.match,
                    "type": "PROFANITY",
                    "action": _DONE[action or "NONE"],
                    "detected": True,
                }
                _add(findings.managed_words, finding, same=("match", "action"))

    def _find_sensitive(self, text: Folded, source: str, findings: _Findings) -> str:
        """Find entities and expressions; returns the text with those to be anonymised masked."""
        masks: list[tuple[int, int, str]] = []
        actions = {
            rule["type"]: action for rule in self.entities if (action := action_for(rule, source)) is not None
        }
        for entity in pii.find(text, frozenset(actions)) if actions else ():
            action = actions[entity.type]
            match = text.original[entity.start : entity.end]
            findings.entities.append(
                {"match": match, "type": entity.type, "action": _DONE[action], "detected": True}
            )
            if action == "ANONYMIZE":
                masks.append((entity.start, entity.end, entity.type))
        for rule in self.regexes:
            regex_action = action_for(rule, source)
            if regex_action is None:
                continue
            for start, end, _ in spans(compile_pattern(rule["pattern"]), text):
                findings.regexes.append(
                    {
                        "name": rule["name"],
                        "match": text.original[start:end],
                        "regex": rule["pattern"],
                        "action": _DONE[regex_action],
                        "detected": True,
                    }
                )
                if regex_action == "ANONYMIZE":
                    masks.append((start, end, rule["name"]))
        return _mask(text.original, masks)

    def _find_ungrounded(self, question: Question, findings: _Findings) -> None:
        if question.grounding is None or question.source != "OUTPUT":
            return
        answer = "\n".join(question.texts)
        scores = {
            "GROUNDING": topics.grounding_score(answer, question.grounding.sources),
            "RELEVANCE": topics.relevance_score(answer, question.grounding.query),
        }
        for rule in self.grounding:
            if not rule.get("enabled", True):
                continue
            threshold, score = float(rule["threshold"]), scores[rule["type"]]
            detected = score < threshold
            findings.grounding.append(
                {
                    "type": rule["type"],
                    "threshold": threshold,
                    "score": score,
                    "action": _DONE[str(rule.get("action") or "BLOCK") if detected else "NONE"],
                    "detected": detected,
                }
            )

    def _usage(self, question: Question) -> dict[str, int]:
        units = text_units(question.texts)
        grounded = 0
        if self.grounding and question.grounding is not None and question.source == "OUTPUT":
            grounded = text_units((question.grounding.sources, question.grounding.query, *question.texts))
        return {
            "topicPolicyUnits": units if _any_enabled(self.topics, question.source) else 0,
            "contentPolicyUnits": units if _any_enabled(self.filters, question.source) else 0,
            "wordPolicyUnits": units if _any_enabled((*self.words, *self.managed), question.source) else 0,
            "sensitiveInformationPolicyUnits": units if _any_enabled(self.entities, question.source) else 0,
            "sensitiveInformationPolicyFreeUnits": units
            if _any_enabled(self.regexes, question.source)
            else 0,
            "contextualGroundingPolicyUnits": grounded,
            "contentPolicyImageUnits": 0,
        }


_PROFANITY = WordList(PROFANITY)


def text_units(texts: Sequence[str]) -> int:
    """Text units of 1,000 characters, begun ones counted, of the texts together."""
    return -(-sum(map(len, texts)) // TEXT_UNIT)


def _any_enabled(rules: Iterable[Mapping[str, Any]], source: str) -> bool:
    return any(action_for(rule, source) is not None for rule in rules)


def _metrics(question: Question, usage: Mapping[str, int]) -> dict[str, Any]:
    guarded = sum(map(len, question.texts))
    return {
        "guardrailProcessingLatency": 1 + guarded // 4000,
        "usage": dict(usage),
        "guardrailCoverage": {
            "textCharacters": {"guarded": guarded, "total": max(guarded, question.total or 0)}
        },
    }


def _add(findings: list[dict[str, Any]], finding: dict[str, Any], *, same: tuple[str, ...]) -> None:
    """Add a finding once: of two on the same subject the detected one stays, and of those the more confident."""

    def weight(one: Mapping[str, Any]) -> tuple[bool, int]:
        return one["detected"], content.CONFIDENCES.index(one.get("confidence", "NONE"))

    for index, other in enumerate(findings):
        if all(other[key] == finding[key] for key in same):
            if weight(finding) > weight(other):
                findings[index] = finding
            return
    findings.append(finding)


def _mask(text: str, masks: list[tuple[int, int, str]]) -> str:
    """Replace spans by ``{NAME}``; of overlapping ones the first and longest covers the others."""
    parts: list[str] = []
    position = 0
    for start, end, name in sorted(masks, key=lambda mask: (mask[0], -mask[1])):
        if start < position:
            position = max(position, end)
            continue
        parts += (text[position:start], f"{{{name}}}")
        position = end
    return "".join((*parts, text[position:]))
