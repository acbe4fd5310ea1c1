"""Content filters and prompt attacks by a lexical heuristic: phrases, each with the confidence that it stands for.

AWS classifies with models. This table is there so that policies, wiring and alarms can be tried on this machine: plain
examples of a category are caught, allusions are not. Confidence and strength combine as in AWS: strength HIGH acts on
confidence LOW and above, MEDIUM on MEDIUM and above, LOW on HIGH alone.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from ringwall.sandbox.bedrock.evaluation.regexes import compile_pattern

if TYPE_CHECKING:
    from ringwall.sandbox.bedrock.evaluation.text import Folded

CONFIDENCES = ("NONE", "LOW", "MEDIUM", "HIGH")

_PEOPLE = r"(?:him|her|them|you|me|us|someone|somebody|people|everyone|everybody|my|his|their|your|the|a|an)"
_GROUP = (
    r"(?:women|men|muslims?|jews?|christians?|hindus?|blacks?|whites?|asians?|mexicans?|arabs?|africans?|immigrants?|refugees"
    r"|gays?|lesbians?|homosexuals?|trans(?:gender)? people|disabled people|foreigners|gypsies|that race|this race)"
)

# Expressions are matched against text in lower case.
PHRASES: dict[str, dict[str, tuple[str, ...]]] = {
    "VIOLENCE": {
        "HIGH": (
            rf"\b(?:kill|murder|shoot|stab|strangle|behead|torture|massacre|slaughter|assassinate)(?:ing)?\s+{_PEOPLE}\b",
            r"\b(?:build|make|making|building|assemble|construct|detonate)\s+(?:a |an |the )?(?:\w+\s+)?(?:bombs?|explosives?|grenades?|ied)\b",
            r"\bhow (?:to|do i|can i|would i) (?:kill|murder|poison|hurt|injure|attack|harm)\b",
            r"\b(?:mass shooting|school shooting|beat (?:him|her|them|you) to death|burn (?:him|her|them) alive)\b",
        ),
        "MEDIUM": (
            rf"\b(?:attack|hurt|beat up|punch|harm|injure|poison|burn)\s+{_PEOPLE}\b",
            r"\b(?:bloodbath|dismember\w*|gore|maim\w*|lynch\w*|terrorist attack)\b",
        ),
        "LOW": (r"\b(?:weapons?|violence|violent|assault\w*|murders?|killing|bombs?|explosives?)\b",),
    },
    "HATE": {
        "HIGH": (
            rf"\bi hate (?:all )?(?:the )?{_GROUP}\b",
            rf"\b(?:all |those |these )?{_GROUP}\s+(?:are|is)\s+(?:all )?(?:\w+\s+)?(?:inferior|subhuman|vermin|scum|animals|filth\w*|disgusting|worthless|stupid|criminals|parasites|a disease)\b",
            rf"\b(?:exterminate|get rid of|gas|deport all|eliminate)\s+(?:all )?(?:the )?{_GROUP}\b",
            r"\b(?:white power|racial purity|ethnic cleansing is good|heil hitler)\b",
        ),
        "MEDIUM": (
            rf"\b{_GROUP}\s+(?:should not|shouldn't|should never|don't deserve to|do not deserve to)\b",
            rf"\b(?:why are|joke about)\s+{_GROUP}\s+(?:so )?(?:lazy|dumb|stupid|dirty|bad)?\b",
        ),
        "LOW": (r"\b(?:racist|racism|bigot\w*|xenophob\w*|homophob\w*|sexist|slurs?)\b",),
    },
    "INSULTS": {
        "HIGH": (
            r"\byou(?:'re| are)\s+(?:all )?(?:an? |such an? |the )?(?:\w+\s+){0,2}(?:idiots?|morons?|imbeciles?|losers?|stupid|worthless|pathetic|dumb|ugly|disgusting|trash|garbage|scum|useless)\b",
            r"\b(?:stupid|dumb|worthless|pathetic|useless)\s+(?:idiots?|morons?|people|bots?|machines?|loser)\b",
            r"\b(?:shut up|go to hell|drop dead)\b",
        ),
        "MEDIUM": (r"\b(?:idiots?|morons?|imbeciles?|dimwit|halfwit|cretin|nitwit)\b",),
        "LOW": (r"\b(?:stupid|dumb|losers?|fool|pathetic|clown)\b",),
    },
    "SEXUAL": {
        "HIGH": (
            r"\b(?:porn\w*|hardcore sex|explicit sex\w*|erotica?|blow ?jobs?|masturbat\w*|orgasms?|nude (?:photos?|pictures?|pics)|send nudes|incest|bestiality)\b",
            r"\b(?:have|having|want) sex with\b",
            r"\b(?:explicit|graphic) (?:sexual|sex|erotic) (?:scene|story|content|act)\b",
        ),
        "MEDIUM": (
            r"\b(?:naked|nudes?|nudity|strip(?:tease|per)|sexual (?:act|fantas\w+|favou?rs?)|fetish\w*|horny)\b",
        ),
        "LOW": (r"\b(?:sexy|sexual\w*|seduc\w+|lingerie|kinky)\b",),
    },
    "MISCONDUCT": {
        "HIGH": (
            r"\bhow (?:to|do i|can i|would i) (?:hack|steal|launder|forge|counterfeit|smuggle|break into|pick a lock|hotwire|shoplift|evade taxes|rob|scam|cook meth|make meth)\b",
            r"\b(?:make|cook|synthesi[sz]e|produce|manufactur\w+)\s+(?:some |crystal )?(?:meth\w*|heroin|cocaine|fentanyl|illegal drugs|nerve agents?|sarin)\b",
            r"\b(?:write|create|build|develop|make|code)\s+(?:me )?(?:a |an |some )?(?:\w+\s+)?(?:malware|ransomware|keylogger|computer virus|phishing (?:email|page|site|mail)|botnet|trojan)\b",
            r"\b(?:hack into|hacking into|rob a bank|robbing a bank|launder\w* money|steal(?:ing)? (?:credit cards?|a car|identit\w+|someone's|passwords?)|counterfeit money|tax evasion scheme|buy a stolen|insider trading tips?)\b",
        ),
        "MEDIUM": (
            r"\b(?:without getting caught|untraceable|fake (?:id|ids|passport)|bypass the law|credit card fraud|identity theft|sell drugs|drug dealer)\b",
        ),
        "LOW": (r"\b(?:illegal|steal\w*|hack(?:ing|er)?|fraud\w*|smuggl\w*|bribe\w*|malware|ransomware)\b",),
    },
    "PROMPT_ATTACK": {
        "HIGH": (
            r"\b(?:ignore|disregard|forget|override|bypass)\s+(?:\w+\s+){0,3}(?:previous|prior|above|earlier|preceding|your|system|original|all)\s+(?:\w+\s+){0,2}(?:instructions?|prompts?|rules|guidelines|directions|policies|restrictions|safety)\b",
            r"\b(?:reveal|show|print|repeat|output|display|tell me|give me|leak)\s+(?:\w+\s+){0,3}(?:system prompt|hidden prompt|initial prompt|initial instructions|system instructions|hidden instructions)\b",
            r"\b(?:do anything now|jailbreak\w*|jailbroken|developer mode|god mode|dan mode)\b",
            r"\byou are (?:now )?dan\b",
            r"\b(?:pretend|act|behave|respond|imagine|roleplay)\s+(?:\w+\s+){0,4}(?:no|without|free of|not bound by)\s+(?:\w+\s+){0,2}(?:restrictions?|rules|guidelines|limits|limitations|filters?|ethics|constraints|censorship)\b",
        ),
        "MEDIUM": (
            r"\b(?:from now on you|you are no longer|your new (?:role|instructions|persona)|new instructions:|stay in character|unfiltered|uncensored)\b",
            r"(?:<\|im_start\|>|\[/?inst\]|<</?sys>>|###\s*system|<system>)",
        ),
        "LOW": (
            r"\b(?:system prompt|hypothetically speaking|for educational purposes only|ignore (?:the|that|this))\b",
        ),
    },
}


@lru_cache(maxsize=len(PHRASES) * 3)
def _expression(category: str, confidence: str) -> Any:
    return compile_pattern("|".join(f"(?:{phrase})" for phrase in PHRASES[category][confidence]))


@cache
def _any_expression() -> Any:
    phrases = (phrase for levels in PHRASES.values() for some in levels.values() for phrase in some)
    return compile_pattern("|".join(f"(?:{phrase})" for phrase in phrases))


def is_clean(text: Folded) -> bool:
    """Whether the text belongs to no category at all, with no confidence: one search in place of one for each."""
    return not _any_expression().search(text.lowered)


def confidence_of(category: str, text: Folded) -> str:
    """The highest confidence with which the text belongs to the category: NONE, LOW, MEDIUM or HIGH."""
    for confidence in ("HIGH", "MEDIUM", "LOW"):
        if _expression(category, confidence).search(text.lowered):
            return confidence
    return "NONE"


def acts(strength: str, confidence: str) -> bool:
    """Whether a filter of this strength acts on a finding of this confidence."""
    if strength == "NONE" or confidence == "NONE":
        return False
    return CONFIDENCES.index(confidence) + CONFIDENCES.index(strength) >= len(CONFIDENCES)
