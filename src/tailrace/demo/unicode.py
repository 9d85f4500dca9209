"""Print many scripts, and some markup that must stay text."""

import time

for line in (
    "Τὸ αὔταρκες · Ελληνικά",
    "Привет, мир · Русский",
    "你好世界 · 中文",
    "こんにちは世界 · 日本語",
    "안녕하세요 · 한국어",
    "שלום עולם · עברית",
    "مرحبا بالعالم · العربية",
    "नमस्ते दुनिया · हिन्दी",
    "emoji: 🏞️ 🇪🇺 👍🏽 👩\u200d🚀",
    "combining: e\u0301 n\u0303 a\u0308",
    "boxes: ┌─┬─┐ │ │ │ └─┴─┘ ▁▂▃▄▅▆▇█",
    "<b>not markup</b> &amp; <script>alert('neither')</script>",
):
    print(line)
    time.sleep(0.3)
