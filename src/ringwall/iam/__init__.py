"""The policy language: documents, patterns, condition operators, requests, evaluation. Standard library only."""
