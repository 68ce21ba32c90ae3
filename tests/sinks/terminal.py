"""What stands on a terminal after it was written to: enough of one for rich's live display."""

import re

_TOKEN = re.compile(r"\x1b\[([?\d;]*)([A-Za-z])|(\r)|(\n)|([^\x1b\r\n]+)")


def screen(written):
    """The lines of an endless terminal, without trailing spaces.

    Knows carriage return, line feed, cursor up, erase line, and ignores colours and the cursor's visibility.
    """
    lines, row, column = [""], 0, 0
    for argument, command, carriage, feed, text in _TOKEN.findall(written):
        if carriage:
            column = 0
        elif feed:
            row, column = row + 1, 0
            lines += [""] * (row + 1 - len(lines))
        elif text:
            lines[row] = lines[row][:column].ljust(column) + text + lines[row][column + len(text) :]
            column += len(text)
        elif command == "A":
            row = max(row - int(argument or 1), 0)
        elif command == "K":
            assert argument == "2"
            lines[row] = ""
        else:
            assert command in "mlh", f"the terminal does not know {command}"
    return [line.rstrip() for line in lines]
