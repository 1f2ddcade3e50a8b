"""TypeScript and JavaScript: files, syntax, modules, values, library facts."""
