// ImageJ 1 runs without a window only if its classes are patched before the first is loaded, as Fiji does.
if (Boolean.getBoolean('java.awt.headless')) Class.forName('net.imagej.patcher.LegacyInjector').preinit()
new GroovyShell(this.class.classLoader).evaluate(new File(args[0]))
