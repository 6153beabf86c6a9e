"""Everything a person, or an uploaded workbook, fills in: fields, rules, question types, expressions."""
