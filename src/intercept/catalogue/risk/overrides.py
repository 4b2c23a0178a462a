"""Well-known exceptions: tools whose class people agree on and whose words do not tell. At most twenty."""

from __future__ import annotations

from typing import Final

from .model import Category, Risk

OVERRIDES: Final = {
    # It writes a thought down for the model and does nothing else; its description is an essay.
    "sequentialthinking": (Category.READ, Risk.LOW),
    # WhatsApp buttons that place calls and open addresses: sending them sets something in motion at the other end.
    "send_button_actions": (Category.EXECUTE, Risk.HIGH),
    "send_button_list": (Category.EXECUTE, Risk.HIGH),
}
