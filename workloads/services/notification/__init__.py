"""What a person is told, in their time: once each, one a period, not in quiet hours."""
