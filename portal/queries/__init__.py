"""Looking at stored data: nouns and questions, never a change."""
