"""Export: the desired Estate as CloudFormation or as Terraform JSON, for teams with a pipeline of their own.

parts            which resources belong together: one template for each account, or StackSets' two sets
cloudformation   a part as a template
terraform        the whole as one configuration
gaps             what a format cannot express, and the command that does it instead

Both are the same Estate that ``apply`` makes. What a format has no word for is never dropped in silence: it is listed in
the file and on standard error.
"""
