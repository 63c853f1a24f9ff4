package org.micromanager.internal.utils;

import mmcorej.PropertyType;

public class PropertyItem {
    public String device = "", name = "Undefined", value = "";
    public boolean readOnly, preInit, confInclude, hasRange;
    public String[] allowed = new String[0];
    public double lowerLimit, upperLimit;
    public PropertyType type;
}
