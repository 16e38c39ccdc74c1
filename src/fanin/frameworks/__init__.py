"""One folder a framework; nothing else in fanin knows one."""
