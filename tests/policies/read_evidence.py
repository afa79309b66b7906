"""Reads evidence with others' models: NIST's by compliance-trestle, OASIS' by pydantic-sarif, JUnit's by junitparser.

Run by an interpreter that has them: `python read_evidence.py FOLDER`; prints what it found as JSON, or fails.
"""

import json
import sys
from pathlib import Path


def read(folder: Path) -> dict[str, int]:
    """How many results, observations and cases there are. Raises what the models raise for what they do not allow."""
    from junitparser import JUnitXml  # type: ignore[missing-import]
    from pydantic_sarif import model  # type: ignore[missing-import]
    from trestle.oscal.assessment_results import AssessmentResults  # type: ignore[missing-import]

    sarif = model.StaticAnalysisResultsFormatSarifVersion210JsonSchema.model_validate_json(
        (folder / "results.sarif").read_text()
    )
    oscal = AssessmentResults.oscal_read(folder / "oscal-assessment-results.json")
    junit = JUnitXml.fromfile(str(folder / "junit.xml"))
    return {
        "results": len(sarif.runs[0].results or []),
        "observations": len(oscal.results[0].observations or []),
        "findings": len(oscal.results[0].findings or []),
        "cases": junit.tests,
        "failures": junit.failures,
        "skipped": junit.skipped,
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(read(Path(sys.argv[1]))) + "\n")
