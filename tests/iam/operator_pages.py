"""The pages of AWS's documentation that the operator tables cite."""

from __future__ import annotations

_GUIDE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/"

OPERATORS = _GUIDE + "reference_policies_elements_condition_operators.html"
STRING = OPERATORS + "#Conditions_String"
WILDCARDS = OPERATORS + "#Conditions_String-wildcard"
NUMERIC = OPERATORS + "#Conditions_Numeric"
DATE = OPERATORS + "#Conditions_Date"
BOOLEAN = OPERATORS + "#Conditions_Boolean"
BINARY = OPERATORS + "#Conditions_BinaryEquals"
IP_ADDRESS = OPERATORS + "#Conditions_IPAddress"
ARN = OPERATORS + "#Conditions_ARN"
IF_EXISTS = OPERATORS + "#Conditions_IfExists"
NULL = OPERATORS + "#Conditions_Null"

SETS = (
    _GUIDE + "reference_policies_condition-single-vs-multi-valued-context-keys.html"
    "#reference_policies_condition-multi-valued-context-keys"
)
VALUES = (
    _GUIDE + "reference_policies_condition-logic-multiple-context-keys-or-values.html"
    "#reference_policies_multiple-conditions-eval"
)
NEGATED_VALUES = (
    _GUIDE + "reference_policies_condition-logic-multiple-context-keys-or-values.html"
    "#reference_policies_multiple-conditions-negated-matching-eval"
)
KEYS = _GUIDE + "reference_policies_elements_condition.html"
VERSION = _GUIDE + "reference_policies_elements_version.html"
W3C_DATES = "https://www.w3.org/TR/NOTE-datetime"

_VARIABLES = _GUIDE + "reference_policies_variables.html"
VARIABLES_WHERE = _VARIABLES + "#policy-vars-wheretouse"
VARIABLES_USING = _VARIABLES + "#policy-vars-using-variables"
VARIABLES_NO_VALUE = _VARIABLES + "#policy-vars-no-value"
VARIABLES_DEFAULT = _VARIABLES + "#policy-vars-default-values"
VARIABLES_CHARACTERS = _VARIABLES + "#policy-vars-specialchars"

SILENT = ""
"""No page says; the reason stands beside the rows."""
