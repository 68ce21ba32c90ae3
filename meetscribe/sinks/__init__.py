"""Where events go: screens, lines, and later sockets, brokers and disks."""
