"""Evidence: what an auditor is handed: a report, and the same for machines as SARIF, JUnit and OSCAL."""
