"""Policies: a CrossGuard pack of rules that an auditor expects; see docs/policies/."""
