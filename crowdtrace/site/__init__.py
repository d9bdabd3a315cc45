"""Pages that span apps. Begin at `urls`; each folder holds the pages for one kind of reader."""
