"""Show what colours there are, by escape sequences (ECMA-48, 8.3.117)."""


def show(codes: str, text: str) -> None:
    """Print the text with these attributes."""
    print(f"\x1b[{codes}m{text}\x1b[0m", end="")


print("the usual ones")
for number in range(16):
    show(f"48;5;{number}", "    ")
print("\n\n256 of them")
for number in range(16, 256):
    show(f"48;5;{number}", "  ")
    if (number - 15) % 36 == 0:
        print()
print("\n\ntrue colour")
for row in range(6):
    for column in range(72):
        show(f"48;2;{column * 255 // 71};{row * 51};{255 - column * 255 // 71}", " ")
    print()
print()
for codes, text in (("1", "bold"), ("2", "dim"), ("3", "italic"), ("4", "underlined"), ("7", "inverse")):
    show(codes, text)
    print(" ", end="")
print()
