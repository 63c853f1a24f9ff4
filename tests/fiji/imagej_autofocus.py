"""The autofocus list of the Micro-Manager of imagej_micromanager.py; runs in the process of ImageJ."""

from __future__ import annotations

import jpype
from imagej_micromanager import SIDE_PX, of, points_stack, studio
from jpype import JClass

from parfocal.fiji_bridge.holding import holding
from parfocal.fiji_bridge.micromanager.autofocus_plugin import offer_autofocus


def autofocus_list():
    manager = studio().getAutofocusManager()
    return [str(name) for name in manager.getAllAutofocusMethods()]


def select_autofocus():
    studio().getAutofocusManager().setAutofocusMethodByName("Parfocal")
    studio().getAutofocusManager().refresh()
    return plugin_call("getName")


def called(name, *arguments):
    """What a method of the selected autofocus gives to Java, as its acquisitions call it."""
    methods = of("org.micromanager.AutofocusPlugin").class_.getMethods()
    method = next(method for method in methods if str(method.getName()) == name)
    try:
        return method.invoke(studio().getAutofocusManager().getAutofocusMethod(), list(arguments))
    except JClass("java.lang.reflect.InvocationTargetException") as error:
        raise error.getCause() from None


def plugin_call(name, *arguments):
    """What Java is given by a method of the plugin, or the text of its exception."""
    try:
        found = called(name, *arguments)
    except JClass("java.lang.Exception") as error:
        return f"threw {error.getMessage()}"
    kinds = {"java.lang.Boolean": bool, "java.lang.Double": float, "java.lang.Integer": int}
    return None if found is None else kinds.get(str(found.getClass().getName()), str)(found)


def plugin_properties():
    """Name, value and choices of the plugin's properties."""
    items = called("getProperties")
    assert [str(item.name) for item in items] == [str(name) for name in called("getPropertyNames")]
    return {str(item.name): [str(item.value), [str(text) for text in item.allowed]] for item in items}


def score_of_plane(index):
    image = JClass("ij.process.FloatProcessor")(SIDE_PX, SIDE_PX)
    image.setPixels(jpype.JArray(jpype.JFloat)(points_stack()[index].astype(float).ravel().tolist()))
    return float(called("computeScore", image))


def offer_parfocal():
    return offer_autofocus(studio(), holding.desk)


def property_set_as_item(name, value):
    """Set a property as Micro-Manager's table does, and read it back."""
    item = called("getProperty", name)
    item.value = value
    called("setProperty", item)
    return str(called("getProperty", name).value)
