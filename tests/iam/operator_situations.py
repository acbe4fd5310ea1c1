"""Every operator in every situation, one line per operator, each answer written by hand.

``T`` and ``F`` are what AWS answers, in the order of the columns. A *fit* is a request value for which the operator's
comparison holds before any negation (``StringNotEquals`` included), a *misfit* one for which it does not; a negated
operator therefore answers ``F`` to a fit.
"""

from __future__ import annotations

from iam import operator_pages as page

PLAIN = ("fit", "misfit", "absent", "empty", "several")
SUFFIXED = ("fit", "misfit", "absent")
SET = ("all fit", "some fit", "none fit", "absent", "empty")
SUFFIXED_SET = ("some fit", "absent")

# (form of the operator, its columns, what says so)
FORMS = [
    ("{}", PLAIN, page.OPERATORS),
    ("{}IfExists", SUFFIXED, page.IF_EXISTS),
    ("ForAllValues:{}", SET, page.SETS),
    ("ForAnyValue:{}", SET, page.SETS),
    ("ForAllValues:{}IfExists", SUFFIXED_SET, page.SETS),
    ("ForAnyValue:{}IfExists", SUFFIXED_SET, page.SETS),
]

# Answers above on which the pages say nothing, or not the same thing everywhere.
OPEN = {
    ("{}", "empty"): "A key without values is no key: Null's own description puts the two together.",
    ("{}", "several"): (
        "Several values need a set operator; what happens without is not said. No match, whatever the sense: an Allow "
        "is then never wider. (A Deny with a negated operator is weaker than it looks.)"
    ),
    ("ForAllValues:{}", "absent"): (
        "True for every operator, says the page on sets. One example on the page of operators (StringNotLike under "
        "ForAllValues, key absent) shows no match; the rule is taken, not the example."
    ),
    ("ForAllValues:{}", "empty"): "As absent; the page on sets says so of a null data set.",
    ("ForAnyValue:{}", "empty"): "As absent; the page on sets says so of a null data set.",
    (
        "ForAllValues:{}IfExists",
        "absent",
    ): "Both halves say true, so the order in which they apply does not matter.",
    ("ForAnyValue:{}IfExists", "absent"): (
        "ForAnyValue says false, IfExists true, and no page says which wins. False: an Allow is then never wider."
    ),
}

ROLES, USERS = "arn:aws:iam::111122223333:role/*", "arn:aws:iam::111122223333:user/*"
APP = "arn:aws:iam::111122223333:role/App"
TOPIC = "arn:aws:sns:us-east-1:111122223333:topic"
NEW_YEAR = "2024-01-01T00:00:00Z"
BEFORE, AFTER = "2023-06-30T12:00:00Z", "2024-06-30T12:00:00Z"

# operator, listed values, a fit, a misfit; the answers of each form of FORMS
SITUATIONS = [
    # operator                     listed                fit          misfit        {}       IfExists  ForAll   ForAny  All+If Any+If
    ("StringEquals",               ["a", "b"],           "b",         "x",          "TFFFF", "TFT",    "TFFTT", "TTFFF", "FT", "TF"),
    ("StringNotEquals",            ["a", "b"],           "b",         "x",          "FTTTF", "FTT",    "FFTTT", "FTTFF", "FT", "TF"),
    ("StringEqualsIgnoreCase",     ["Ann", "Bob"],       "bOB",       "Eve",        "TFFFF", "TFT",    "TFFTT", "TTFFF", "FT", "TF"),
    ("StringNotEqualsIgnoreCase",  ["Ann", "Bob"],       "bOB",       "Eve",        "FTTTF", "FTT",    "FFTTT", "FTTFF", "FT", "TF"),
    ("StringLike",                 ["dev-*", "?"],       "dev-1",     "prod",       "TFFFF", "TFT",    "TFFTT", "TTFFF", "FT", "TF"),
    ("StringNotLike",              ["dev-*", "?"],       "dev-1",     "prod",       "FTTTF", "FTT",    "FFTTT", "FTTFF", "FT", "TF"),
    ("NumericEquals",              ["10", "20"],         "20.0",      "30",         "TFFFF", "TFT",    "TFFTT", "TTFFF", "FT", "TF"),
    ("NumericNotEquals",           ["10", "20"],         "20.0",      "30",         "FTTTF", "FTT",    "FFTTT", "FTTFF", "FT", "TF"),
    ("NumericLessThan",            ["10"],               "9.5",       "10",         "TFFFF", "TFT",    "TFFTT", "TTFFF", "FT", "TF"),
    ("NumericLessThanEquals",      ["10"],               "10",        "10.5",       "TFFFF", "TFT",    "TFFTT", "TTFFF", "FT", "TF"),
    ("NumericGreaterThan",         ["10"],               "10.5",      "10",         "TFFFF", "TFT",    "TFFTT", "TTFFF", "FT", "TF"),
    ("NumericGreaterThanEquals",   ["10"],               "10",        "9.5",        "TFFFF", "TFT",    "TFFTT", "TTFFF", "FT", "TF"),
    ("DateEquals",                 [NEW_YEAR, AFTER],    "2024-01-01", BEFORE,      "TFFFF", "TFT",    "TFFTT", "TTFFF", "FT", "TF"),
    ("DateNotEquals",              [NEW_YEAR, AFTER],    "2024-01-01", BEFORE,      "FTTTF", "FTT",    "FFTTT", "FTTFF", "FT", "TF"),
    ("DateLessThan",               [NEW_YEAR],           BEFORE,      NEW_YEAR,     "TFFFF", "TFT",    "TFFTT", "TTFFF", "FT", "TF"),
    ("DateLessThanEquals",         [NEW_YEAR],           NEW_YEAR,    AFTER,        "TFFFF", "TFT",    "TFFTT", "TTFFF", "FT", "TF"),
    ("DateGreaterThan",            [NEW_YEAR],           AFTER,       NEW_YEAR,     "TFFFF", "TFT",    "TFFTT", "TTFFF", "FT", "TF"),
    ("DateGreaterThanEquals",      [NEW_YEAR],           NEW_YEAR,    BEFORE,       "TFFFF", "TFT",    "TFFTT", "TTFFF", "FT", "TF"),
    ("Bool",                       ["true"],             "true",      "false",      "TFFFF", "TFT",    "TFFTT", "TTFFF", "FT", "TF"),
    ("BinaryEquals",               ["QmluYXJ5"],         "QmluYXJ5",  "YXNjaWk=",   "TFFFF", "TFT",    "TFFTT", "TTFFF", "FT", "TF"),
    ("IpAddress",                  ["203.0.113.0/24"],   "203.0.113.9", "8.8.8.8",  "TFFFF", "TFT",    "TFFTT", "TTFFF", "FT", "TF"),
    ("NotIpAddress",               ["203.0.113.0/24"],   "203.0.113.9", "8.8.8.8",  "FTTTF", "FTT",    "FFTTT", "FTTFF", "FT", "TF"),
    ("ArnEquals",                  [ROLES, USERS],       APP,         TOPIC,        "TFFFF", "TFT",    "TFFTT", "TTFFF", "FT", "TF"),
    ("ArnLike",                    [ROLES, USERS],       APP,         TOPIC,        "TFFFF", "TFT",    "TFFTT", "TTFFF", "FT", "TF"),
    ("ArnNotEquals",               [ROLES, USERS],       APP,         TOPIC,        "FTTTF", "FTT",    "FFTTT", "FTTFF", "FT", "TF"),
    ("ArnNotLike",                 [ROLES, USERS],       APP,         TOPIC,        "FTTTF", "FTT",    "FFTTT", "FTTFF", "FT", "TF"),
]  # fmt: skip

# The request's other keys, for policy variables; ``aws:absent`` is not among them.
CONTEXT = {
    "aws:username": ("ann",),
    "aws:principaltag/team": ("red*",),
    "aws:tagkeys": ("ann", "b"),
    "aws:arn": (APP,),
    "aws:num": ("5",),
    "aws:flag": ("true",),
    "aws:ip": ("10.0.0.1",),
    "aws:when": ("2024-01-01",),
    "aws:bytes": ("QmluYXJ5",),
}

# (column, listed value with {} for an ARN's beginning, the request's value, version, what says so)
OF_ARN = "arn:aws:iam::111122223333:user/"
VARIABLE_FORMS = [
    ("is the value",       "${aws:username}",             "ann",             "2012-10-17", page.VARIABLES_USING),
    ("is another value",   "${aws:username}",             "bob",             "2012-10-17", page.VARIABLES_USING),
    ("key in any case",    "${AWS:UserName}",             "ann",             "2012-10-17", page.KEYS),
    ("part of the value",  "team-${aws:username}",        "team-ann",        "2012-10-17", page.VARIABLES_USING),
    ("no value",           "${aws:absent}",               "ann",             "2012-10-17", page.VARIABLES_NO_VALUE),
    ("never its own text", "${aws:absent}",               "${aws:absent}",   "2012-10-17", page.VARIABLES_NO_VALUE),
    ("default taken",      "${aws:absent, 'ann'}",        "ann",             "2012-10-17", page.VARIABLES_DEFAULT),
    ("default not needed", "${aws:username, 'eve'}",      "eve",             "2012-10-17", page.VARIABLES_DEFAULT),
    ("several values",     "${aws:TagKeys}",              "ann",             "2012-10-17", page.SETS),
    ("literal star",       "a${*}",                       "a*",              "2012-10-17", page.VARIABLES_CHARACTERS),
    ("literal star only",  "a${*}",                       "ann",             "2012-10-17", page.VARIABLES_CHARACTERS),
    ("literal question",   "a${?}",                       "a?",              "2012-10-17", page.VARIABLES_CHARACTERS),
    ("literal dollar",     "${$}{aws:username}",          "${aws:username}", "2012-10-17", page.VARIABLES_CHARACTERS),
    ("old version",        "${aws:username}",             "ann",             "2008-10-17", page.VERSION),
    ("old version, text",  "${aws:username}",             "${aws:username}", "2008-10-17", page.VERSION),
]  # fmt: skip

# operator; the answer to each of VARIABLE_FORMS, of which an Arn operator sees the values behind OF_ARN
VARIABLES = [
    #                              value other case  part  none  text  dflt  dflt2 sever star  star2 quest dollar old old-text
    ("StringEquals",               "T    F     T     T     F     F     T     F     F     T     F     T     T     F   T"),
    ("StringNotEquals",            "F    T     F     F     T     T     F     T     T     F     T     F     F     T   F"),
    ("StringEqualsIgnoreCase",     "T    F     T     T     F     F     T     F     F     T     F     T     T     F   T"),
    ("StringNotEqualsIgnoreCase",  "F    T     F     F     T     T     F     T     T     F     T     F     F     T   F"),
    ("StringLike",                 "T    F     T     T     F     F     T     F     F     T     F     T     T     F   T"),
    ("StringNotLike",              "F    T     F     F     T     T     F     T     T     F     T     F     F     T   F"),
    ("ArnEquals",                  "T    F     T     T     F     F     T     F     F     T     F     T     T     F   T"),
    ("ArnLike",                    "T    F     T     T     F     F     T     F     F     T     F     T     T     F   T"),
    ("ArnNotEquals",               "F    T     F     F     T     T     F     T     T     F     T     F     F     T   F"),
    ("ArnNotLike",                 "F    T     F     F     T     T     F     T     T     F     T     F     F     T   F"),
]  # fmt: skip

# Operators that take no variables (the page on variables, under VARIABLES_WHERE): ``${...}`` is text that is no
# number, date, address or boolean, so the comparison fails. Of Bool the page on operators says the contrary; the page
# on variables is taken, by which an Allow is never wider.
WITHOUT_VARIABLES = [
    # operator                     listed          the request's value  answer
    ("NumericEquals",              "${aws:num}",   "5",                 False),
    ("NumericNotEquals",           "${aws:num}",   "5",                 True),
    ("NumericLessThan",            "${aws:num}",   "4",                 False),
    ("NumericLessThanEquals",      "${aws:num}",   "5",                 False),
    ("NumericGreaterThan",         "${aws:num}",   "6",                 False),
    ("NumericGreaterThanEquals",   "${aws:num}",   "5",                 False),
    ("DateEquals",                 "${aws:when}",  "2024-01-01",        False),
    ("DateNotEquals",              "${aws:when}",  "2024-01-01",        True),
    ("DateLessThan",               "${aws:when}",  "2023-01-01",        False),
    ("DateLessThanEquals",         "${aws:when}",  "2024-01-01",        False),
    ("DateGreaterThan",            "${aws:when}",  "2025-01-01",        False),
    ("DateGreaterThanEquals",      "${aws:when}",  "2024-01-01",        False),
    ("Bool",                       "${aws:flag}",  "true",              False),
    ("BinaryEquals",               "${aws:bytes}", "QmluYXJ5",          False),
    ("IpAddress",                  "${aws:ip}",    "10.0.0.1",          False),
    ("NotIpAddress",               "${aws:ip}",    "10.0.0.1",          True),
    ("Null",                       "${aws:flag}",  "x",                 False),
]  # fmt: skip
