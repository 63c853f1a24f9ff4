/** The Appose of this Fiji, which must be recent enough, and shared memory of it. */
class ParfocalAppose {
    static final String OLDEST = '0.9.0'

    /** Shared memory for an array of a type and shape as numpy has them; close it after use. */
    static Object array(String type, List<Integer> shape) {
        long bytes = shape.inject(1L) { size, length -> size * length } * (['uint8': 1, 'uint16': 2].getOrDefault(type, 4))
        File memory = new File('/dev/shm')
        if (memory.directory && memory.usableSpace < bytes) {
            throw new IllegalStateException("this needs ${megabytes(bytes)} of shared memory, /dev/shm has ${megabytes(memory.usableSpace)} free: close other programs, or make it larger")
        }
        def order = classOf('NDArray$Shape$Order').getField('C_ORDER').get(null)
        def described = classOf('NDArray$Shape').newInstance(order, shape as int[])
        return classOf('NDArray').newInstance(classOf('NDArray$DType').fromLabel(type), described)
    }

    private static String megabytes(long bytes) { String.format('%.0f MB', bytes / 1e6) }

    /** A class of it, by its name there. */
    static Class classOf(String name) {
        try {
            return Class.forName('org.apposed.appose.' + name, true, ParfocalAppose.classLoader)
        } catch (ClassNotFoundException error) {
            throw new IllegalStateException("this Fiji has no Appose, needed is ${OLDEST} or later: update it (Help > Update...)", error)
        }
    }

    /** Refuse an Appose that hangs on shared memory and on environments of Python, as those before 0.9.0 do. */
    static void check() {
        String found = version()
        if (found != null && isOlder(found, OLDEST)) {
            throw new IllegalStateException("this Fiji has Appose ${found}, needed is ${OLDEST} or later: update it (Help > Update...)")
        }
    }

    private static String version() {
        Class service = classOf('Service')
        def file = service.getResourceAsStream('/META-INF/maven/org.apposed/appose/pom.properties')
        if (file != null) {
            def properties = new Properties()
            file.withStream { properties.load(it) }
            return properties.getProperty('version')
        }
        def name = service.protectionDomain?.codeSource?.location?.path =~ /appose-(\d[\d.]*\d)/
        return name.find() ? name.group(1) : null
    }

    /** Whether a version comes before another. */
    static boolean isOlder(String version, String than) {
        List numbers = [version, than].collect { text -> text.split(/[.-]/).findAll { it.integer }*.toInteger() }
        for (int i = 0; i < 3; i++) {
            int left = numbers[0][i] ?: 0, right = numbers[1][i] ?: 0
            if (left != right) return left < right
        }
        return false
    }
}
