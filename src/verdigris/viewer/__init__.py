"""The live preview: a page that path-traces baked materials in the browser, and the server that hands it out."""
