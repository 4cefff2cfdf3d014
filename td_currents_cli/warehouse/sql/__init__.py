"""Questions to a table as SQL: from what is asked, as values, to the text of a query. Nothing here talks to anybody."""
