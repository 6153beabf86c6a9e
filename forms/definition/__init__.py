"""The questionnaire as plain rows, the judging of those rows, and the compiled definition."""
