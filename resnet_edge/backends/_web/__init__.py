"""What runtimes in a browser share: the browser, the page and its server, and npm packages."""
