"""What the ARN operators, Null and the set operators make of special values, row by row.

A group is (page, what it says in our words, rows); a row is (operator, listed values, the request's values, answer). A
single value may stand without a list. Rows of a group whose page is ``SILENT`` are our choice, and the words say why.
"""

from __future__ import annotations

from iam import operator_pages as page

ROLE = "arn:aws:iam::111122223333:role/App"
TOPIC = "arn:aws:sns:us-east-1:111122223333:topic"
LOGS = "arn:aws:logs:us-east-1:111122223333:log-group:a:b:c"
ABSENT = ()

ARNS = [
    (page.ARN, "each of the six fields is compared by itself, with * and ?; case matters", [
        ("ArnLike",      ROLE,                                  ROLE,   True),
        ("ArnLike",      "arn:aws:iam::111122223333:role/app",  ROLE,   False),
        ("ArnLike",      "arn:aws:iam::111122223333:ROLE/App",  ROLE,   False),
        ("ArnLike",      "arn:aws:IAM::111122223333:role/App",  ROLE,   False),
        ("ArnLike",      "arn:aws:iam::111122223333:role/*",    ROLE,   True),
        ("ArnLike",      "arn:aws:iam::*:role/App",             ROLE,   True),
        ("ArnLike",      "arn:aws:iam::1111????3333:role/App",  ROLE,   True),
        ("ArnLike",      "arn:aws:iam::1111???3333:role/App",   ROLE,   False),
        ("ArnLike",      "arn:aws:iam::111122223333:role/A?p",  ROLE,   True),
        ("ArnLike",      "arn:aws:iam::111122223333:role/App?", ROLE,   False),
        ("ArnLike",      "arn:aws*:iam::111122223333:role/App", ROLE,   True),
        ("ArnLike",      "arn:aws:s?s:us-*-1:*:to*c",           TOPIC,  True),
        ("ArnLike",      "arn:aws:sns:*:*:*",                   TOPIC,  True),
        ("ArnLike",      "arn:*:*:*:*:*",                       TOPIC,  True),
        ("ArnLike",      "*:*:*:*:*:*",                         TOPIC,  True),
        ("ArnLike",      "arn:aws:sns:us-east-1::topic",        TOPIC,  False),
        ("ArnLike",      "arn:aws:sns:us-east-2:*:topic",       TOPIC,  False),
        ("ArnLike",      "arn:aws:sns:*:999988887777:*",        TOPIC,  False),
        ("ArnEquals",    "arn:aws:iam::111122223333:role/*",    ROLE,   True),
        ("ArnEquals",    "arn:aws:iam::111122223333:role/app",  ROLE,   False),
        ("ArnEquals",    "arn:aws:iam::*:role/A??",             ROLE,   True),
        ("ArnNotEquals", "arn:aws:iam::*:role/*",               ROLE,   False),
        ("ArnNotEquals", "arn:aws:iam::*:role/*",               TOPIC,  True),
        ("ArnNotLike",   "arn:aws:iam::*:role/*",               ROLE,   False),
        ("ArnNotLike",   "arn:aws:iam::999988887777:role/*",    ROLE,   True),
    ]),
    (page.ARN, "a wildcard stays inside its field; the sixth is everything behind the fifth colon", [
        ("ArnLike",    "arn:aws:sns:*:topic",                  TOPIC,  False),
        ("ArnLike",    "arn:aws:sns:us-east-1*topic",          TOPIC,  False),
        ("ArnLike",    "arn:aws:s*:topic",                     TOPIC,  False),
        ("ArnLike",    "arn:aws:sns:us-east-1?111122223333:topic", TOPIC, False),
        ("ArnLike",    "arn:aws:sns:*:*:*:topic",              TOPIC,  False),
        ("ArnLike",    "arn:aws:logs:*:*:log-group:*",         LOGS,   True),
        ("ArnLike",    "arn:aws:logs:*:*:log-group:?:b:*",     LOGS,   True),
        ("ArnLike",    "arn:aws:logs:*:*:*:c",                 LOGS,   True),
        ("ArnLike",    "arn:aws:logs:*:*:log-group?a?b?c",     LOGS,   True),
        ("ArnLike",    "arn:aws:logs:*:*:*:d",                 LOGS,   False),
        ("ArnNotLike", "arn:aws:sns:*:topic",                  TOPIC,  True),
        ("ArnNotLike", "arn:aws:logs:*:*:log-group:*",         LOGS,   False),
    ]),
    (page.SILENT, "a pattern with fewer than six fields is no ARN and matches nothing, save * alone, which means any ARN", [
        ("ArnLike",      "*",               TOPIC,     True),
        ("ArnEquals",    "*",               ROLE,      True),
        ("ArnNotLike",   "*",               TOPIC,     False),
        ("ArnLike",      "arn:*",           TOPIC,     False),
        ("ArnLike",      "arn:aws:sns",     TOPIC,     False),
        ("ArnLike",      "arn:aws:*:topic", TOPIC,     False),
        ("ArnLike",      "**",              TOPIC,     False),
        ("ArnLike",      "",                TOPIC,     False),
        ("ArnNotEquals", "arn:*",           TOPIC,     True),
    ]),
    (page.SILENT, "a request's value that is no ARN matches no pattern; the negation of that holds", [
        ("ArnLike",      "*",                     "no arn",  False),
        ("ArnLike",      "*:*:*:*:*:*",           "no arn",  False),
        ("ArnLike",      "*",                     "",        False),
        ("ArnEquals",    "no arn",                "no arn",  False),
        ("ArnLike",      "arn:aws:s3",            "arn:aws:s3", False),
        ("ArnLike",      "*",                     "arn:aws:s3", False),
        ("ArnNotLike",   "arn:aws:iam::*:role/*", "no arn",  True),
        ("ArnNotEquals", "*",                     "no arn",  True),
    ]),
]  # fmt: skip

NULLS = [
    (page.NULL, "true asks that the key is not there, false that it is", [
        ("Null", "true",  ABSENT, True),
        ("Null", "true",  "x",    False),
        ("Null", "false", ABSENT, False),
        ("Null", "false", "x",    True),
    ]),
    (page.NULL, "several values are there as much as one", [
        ("Null", "false", ["a", "b"], True),
        ("Null", "true",  ["a", "b"], False),
    ]),
    (page.VALUES, "listed values are alternatives", [
        ("Null", ["true", "false"], ABSENT, True),
        ("Null", ["true", "false"], "x",    True),
        ("Null", ["true", "true"],  "x",    False),
    ]),
    (page.SILENT, "in any case, as Bool; what is neither asks for nothing and fails", [
        ("Null", "TRUE",  ABSENT, True),
        ("Null", "False", "x",    True),
        ("Null", "maybe", "x",    False),
        ("Null", "maybe", ABSENT, False),
        ("Null", "",      ABSENT, False),
    ]),
    # The page on sets calls an empty text a null data set, for which ForAllValues is true; the example for s3:prefix on
    # the page of operators lists it as a value to match. Null asks for "a value that is not null" and leaves it open.
    (page.SILENT, "an empty text is a value", [
        ("Null", "false",                      "", True),
        ("Null", "true",                       "", False),
        ("ForAllValues:StringEquals", "a",     "", False),
        ("ForAllValues:StringEquals", "",      "", True),
        ("ForAllValues:StringNotEquals", "a",  "", True),
        ("ForAnyValue:StringEquals", "",       "", True),
        ("ForAnyValue:StringEquals", "a",      "", False),
    ]),
    (page.SILENT, "with a set operator: of each value there is, that it is there; of none, what the set operator says", [
        ("ForAllValues:Null", "false", ["a"],      True),
        ("ForAllValues:Null", "false", ["a", "b"], True),
        ("ForAllValues:Null", "true",  ["a"],      False),
        ("ForAllValues:Null", "true",  ABSENT,     True),
        ("ForAllValues:Null", "false", ABSENT,     True),
        ("ForAnyValue:Null",  "false", ["a"],      True),
        ("ForAnyValue:Null",  "false", ["a", "b"], True),
        ("ForAnyValue:Null",  "true",  ["a"],      False),
        ("ForAnyValue:Null",  "true",  ABSENT,     False),
        ("ForAnyValue:Null",  "false", ABSENT,     False),
    ]),
]  # fmt: skip

SET_OPERATORS = [
    (page.SETS, "ForAllValues: every value of the request matches some listed one; none at all is fine", [
        ("ForAllValues:StringEquals",    ["a", "b"],              ["a"],                     True),
        ("ForAllValues:StringEquals",    ["a", "b"],              ["a", "b"],                True),
        ("ForAllValues:StringEquals",    ["a", "b"],              ["a", "b", "c"],           False),
        ("ForAllValues:StringEquals",    ["a", "b"],              ["A"],                     False),
        ("ForAllValues:StringEquals",    ["a", "b"],              ["b", "b", "b"],           True),
        ("ForAllValues:StringLike",      "k*",                    ["k1", "k2"],              True),
        ("ForAllValues:StringLike",      "*",                     ["k1", ""],                True),
        ("ForAllValues:NumericLessThan", "5",                     ["1", "six"],              False),
        ("ForAllValues:IpAddress",       "10.0.0.0/8",            ["10.0.0.1", "10.2.0.1"],  True),
        ("ForAllValues:IpAddress",       "10.0.0.0/8",            ["10.0.0.1", "::1"],       False),
        ("ForAllValues:ArnLike",         "arn:aws:iam::*:role/*", [ROLE, TOPIC],             False),
        ("ForAllValues:ArnLike",         ["arn:aws:iam::*:role/*", "arn:aws:sns:*:*:*"], [ROLE, TOPIC], True),
        ("ForAllValues:DateLessThan",    "2024-01-01",            ["2023-01-01", "2022"],    True),
    ]),
    (page.STRING, "ForAllValues with a negated operator: no value of the request matches any listed one", [
        ("ForAllValues:StringNotEquals",           ["a", "b"],  ["c", "d"],        True),
        ("ForAllValues:StringNotEquals",           ["a", "b"],  ["c", "a"],        False),
        ("ForAllValues:StringNotEqualsIgnoreCase", ["a", "b"],  ["c", "A"],        False),
        ("ForAllValues:StringNotLike",             "a*",        ["b", "c"],        True),
        ("ForAllValues:StringNotLike",             "a*",        ["b", "ab"],       False),
        ("ForAllValues:NumericNotEquals",          "5",         ["4", "5.0"],      False),
        ("ForAllValues:NotIpAddress",              "10.0.0.0/8", ["8.8.8.8", "::1"], True),
        ("ForAllValues:ArnNotLike",                "arn:aws:iam::*:role/*", [TOPIC], True),
    ]),
    (page.SETS, "ForAnyValue: at least one value of the request matches some listed one", [
        ("ForAnyValue:StringEquals",        ["a", "b"],             ["c", "b"],                  True),
        ("ForAnyValue:StringEquals",        ["a", "b"],             ["c", "d"],                  False),
        ("ForAnyValue:StringEquals",        "environment",          ["Environment"],             False),
        ("ForAnyValue:StringEquals",        "environment",          ["environment", "cost"],     True),
        ("ForAnyValue:StringLike",          "o-abc/r-1/ou-1/*",     ["o-abc/r-1/ou-1/x", "y"],   True),
        ("ForAnyValue:NumericGreaterThan",  "5",                    ["1", "6"],                  True),
        ("ForAnyValue:DateLessThan",        "2024-01-01",           ["2025-01-01", "2023-01-01"], True),
        ("ForAnyValue:IpAddress",           "10.0.0.0/8",           ["11.0.0.1", "10.0.0.1"],    True),
        ("ForAnyValue:BinaryEquals",        "QmluYXJ5",             ["AA==", "QmluYXJ5"],        True),
    ]),
    (page.STRING, "ForAnyValue with a negated operator: at least one value of the request matches no listed one", [
        ("ForAnyValue:StringNotEquals",           ["a", "b"],   ["a", "c"],  True),
        ("ForAnyValue:StringNotEquals",           ["a", "b"],   ["a", "b"],  False),
        ("ForAnyValue:StringNotEqualsIgnoreCase", ["a", "b"],   ["A", "B"],  False),
        ("ForAnyValue:StringNotLike",             "a*",         ["ab", "ac"], False),
        ("ForAnyValue:StringNotLike",             "a*",         ["ab", "bc"], True),
        ("ForAnyValue:NotIpAddress",              "10.0.0.0/8", ["10.0.0.1", "11.0.0.1"], True),
        ("ForAnyValue:ArnNotLike",                "arn:aws:iam::*:role/*", [ROLE], False),
        ("ForAnyValue:ArnNotEquals",              "arn:aws:iam::*:role/*", [ROLE, TOPIC], True),
    ]),
    (page.IF_EXISTS, "IfExists changes nothing where the key is there", [
        ("ForAllValues:StringEqualsIfExists",    "a",  ["a", "b"],  False),
        ("ForAllValues:StringEqualsIfExists",    "a",  ["a", "a"],  True),
        ("ForAnyValue:StringEqualsIfExists",     "a",  ["b", "a"],  True),
        ("ForAnyValue:StringEqualsIfExists",     "a",  ["b", "c"],  False),
        ("ForAllValues:StringNotEqualsIfExists", "a",  ["b", "c"],  True),
        ("ForAllValues:StringNotEqualsIfExists", "a",  ["b", "a"],  False),
        ("ForAnyValue:StringNotEqualsIfExists",  "a",  ["a"],       False),
        ("StringLikeIfExists", ["t1.*", "t2.*", "m3.*"], "t1.micro", True),
        ("StringLikeIfExists", ["t1.*", "t2.*", "m3.*"], "m2.micro", False),
    ]),
    (page.SILENT, "without a set operator several values do not match, also where all of them would", [
        ("StringEquals",         "a",                     ["a", "a"],               False),
        ("StringLike",           "*",                     ["a", "b"],               False),
        ("StringNotEquals",      "x",                     ["a", "b"],               False),
        ("StringNotLike",        "x*",                    ["a", "b"],               False),
        ("StringEqualsIfExists", "a",                     ["a", "b"],               False),
        ("NumericLessThan",      "9",                     ["1", "2"],               False),
        ("NotIpAddress",         "10.0.0.0/8",            ["11.0.0.1", "12.0.0.1"], False),
        ("ArnNotLike",           "arn:aws:iam::*:role/*", [TOPIC, TOPIC],           False),
    ]),
    (page.SILENT, "names of operators are read in any case", [
        ("stringequals",                    "a",    "a",    True),
        ("STRINGNOTLIKE",                   "a*",   "ab",   False),
        ("forallvalues:stringlikeifexists", "a*",   ["ab"], True),
        ("forANYvalue:Bool",                "true", "true", True),
        ("nULL",                            "true", ABSENT, True),
        ("ipaddressIFEXISTS", "10.0.0.0/8",         ABSENT, True),
    ]),
]  # fmt: skip
