"""The lab's stylesheet and its ES modules."""
