"""Fields for what a person is asked who holds focus, made from the definitions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jpype import JArray, JClass, JString

from parfocal.arguments import parsed
from parfocal.commands import ParameterSpec, command_spec
from parfocal.focus_control.asked import SOURCES

from .hold_options import CALIBRATING, GROUPS, shown_label

# Which groups lie below one another.
_COLUMNS = (("Estimator", CALIBRATING), ("Holding", "Limits"))
_WIDE, _NARROW = 18, 7
_TOOLTIP_PX = 320


class HoldFields:
    """Fields in a panel of Swing; to be made and used on the event queue."""

    def __init__(self) -> None:
        self._parameters = _parameters()
        self._fields: dict[str, Any] = {}
        # What was given and is not shown.
        self._others: dict[str, Any] = {}
        box = JClass("javax.swing.Box")
        self.panel = box.createHorizontalBox()
        for groups in _COLUMNS:
            column = JClass("javax.swing.JPanel")(JClass("java.awt.GridBagLayout")())
            for group in groups:
                self._add_group(column, group)
            # Else its grid would lie in the middle.
            upper = JClass("javax.swing.JPanel")(JClass("java.awt.BorderLayout")())
            upper.add(column, "North")
            self.panel.add(upper)

    def given(self) -> dict[str, Any]:
        """Arguments that differ from their defaults (ValueError where a number is none)."""
        given = dict(self._others)
        for name, field in self._fields.items():
            text = _text_of(field)
            value = parsed(text, self._parameters[name]) if text != self._default(name) else None
            if value is not None:
                self._parameters[name].param.check(name, value)
                given[name] = value
        return given

    def fill_in(self, arguments: Mapping[str, Any]) -> None:
        """Show arguments; those without a field are kept too."""
        for name, value in arguments.items():
            if name in self._fields:
                _set_text(self._fields[name], str(value))
            else:
                self._others[name] = value

    def clear(self) -> None:
        """Show the defaults."""
        self._others.clear()
        for name, field in self._fields.items():
            _set_text(field, self._default(name))

    def enable(self, enabled: bool) -> None:
        """Let them be changed or not."""
        for field in self._fields.values():
            field.setEnabled(enabled)

    def _add_group(self, column: Any, group: str) -> None:
        title = JClass("javax.swing.JLabel")(group)
        title.setFont(title.getFont().deriveFont(1))
        column.add(title, _place(column, 0, wide=True))
        for name in GROUPS[group]:
            parameter = self._parameters[name]
            field = self._fields[name] = _field(parameter)
            label = JClass("javax.swing.JLabel")(shown_label(parameter))
            label.setFont(label.getFont().deriveFont(0))
            for component in (label, field):
                component.setToolTipText(f"<html><div style='width: {_TOOLTIP_PX}px'>{parameter.help}</div></html>")
            row = _rows(column)
            column.add(label, _place(column, 0, row=row))
            column.add(field, _place(column, 1, row=row))

    def _default(self, name: str) -> str:
        default = self._parameters[name].default
        return "" if default is None else str(default)


def _parameters() -> dict[str, ParameterSpec]:
    return {parameter.name: parameter for source in SOURCES for parameter in command_spec(source).parameters}


def _field(parameter: ParameterSpec) -> Any:
    default = "" if parameter.default is None else str(parameter.default)
    if parameter.param.choices:
        field = JClass("javax.swing.JComboBox")(JArray(JString)(list(parameter.param.choices)))
        field.setSelectedItem(default)
    else:
        field = JClass("javax.swing.JTextField")(default, _WIDE if parameter.type == "str" else _NARROW)
        # They are read while focus is held.
        field.setDisabledTextColor(JClass("java.awt.Color").DARK_GRAY)
    field.setName(parameter.name)
    return field


def _text_of(field: Any) -> str:
    text = field.getSelectedItem() if isinstance(field, JClass("javax.swing.JComboBox")) else field.getText()
    return str(text).strip()


def _set_text(field: Any, text: str) -> None:
    if isinstance(field, JClass("javax.swing.JComboBox")):
        field.setSelectedItem(text)
    else:
        field.setText(text)


def _rows(column: Any) -> int:
    """How many rows of a grid are taken."""
    places = [column.getLayout().getConstraints(component).gridy for component in column.getComponents()]
    return max(places, default=-1) + 1


def _place(column: Any, x: int, row: int = -1, wide: bool = False) -> Any:
    constraints = JClass("java.awt.GridBagConstraints")
    place = constraints()
    place.gridx, place.gridy = x, _rows(column) if row < 0 else row
    place.gridwidth = 2 if wide else 1
    place.anchor = constraints.WEST
    place.insets = JClass("java.awt.Insets")(8 if wide else 1, 6, 1, 6)
    return place
