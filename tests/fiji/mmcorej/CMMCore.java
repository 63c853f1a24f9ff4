package mmcorej;

import java.util.AbstractList;
import java.util.List;

/** What the control loop calls of Micro-Manager's Java core, with its signatures, over a z-stack that is played. */
public class CMMCore {
    /** As SWIG makes vectors of text. */
    public static class StrVector extends AbstractList<String> {
        private final List<String> texts;

        StrVector(String... texts) {
            this.texts = List.of(texts);
        }

        @Override
        public String get(int i) {
            return texts.get(i);
        }

        @Override
        public int size() {
            return texts.size();
        }
    }

    public static class Tags {
        private final long number;

        Tags(long number) {
            this.number = number;
        }

        public Object get(String key) throws Exception {
            if (!key.equals("ImageNumber")) throw new Exception("JSONObject[\"" + key + "\"] not found.");
            return String.valueOf(number);
        }
    }

    public static class TaggedImage {
        public final Object pix;
        public final Tags tags;

        TaggedImage(Object pix, Tags tags) {
            this.pix = pix;
            this.tags = tags;
        }
    }

    private final short[][] planes;
    private final int width, height;
    private final double firstUm, stepUm;
    private volatile double zUm, planeUm;
    private volatile String fault = "";
    private String pixels = "short";
    private volatile boolean running;
    private volatile double driftUmPerS;
    private volatile long begunDrifting;
    private long frames, snaps, moves;
    private volatile boolean exposing;
    private volatile int disturbances;
    private short[] seen;

    public CMMCore(short[][] planes, int width, int height, double firstUm, double stepUm) {
        this.planes = planes;
        this.width = width;
        this.height = height;
        this.firstUm = firstUm;
        this.stepUm = stepUm;
    }

    /** What only a test can do: where the focal plane is, what fails, how pixels come, whether it is live. */
    public void arrange(double planeUm, String fault, String pixels, boolean running) {
        this.planeUm = planeUm;
        this.fault = fault;
        this.pixels = pixels;
        this.running = running;
    }

    /** What only a test can do: let the focal plane drift from now on. */
    public void drift(double umPerS) {
        planeUm = planeUm();
        begunDrifting = System.nanoTime();
        driftUmPerS = umPerS;
    }

    /** What only a test can ask: where the focal plane is now. */
    public double planeUm() {
        return planeUm + driftUmPerS * (System.nanoTime() - begunDrifting) * 1e-9;
    }

    /** What only a test can ask: how often an image was snapped, and the stage moved. */
    public long[] counts() {
        return new long[] {snaps, moves};
    }

    /** What only an acquisition does: expose for a while, with less light at will, and move. */
    public short[] expose(int dimmer) throws Exception {
        exposing = true;
        Thread.sleep(60);
        short[] taken = look();
        exposing = false;
        for (int i = 0; i < taken.length; i++) taken[i] = (short) ((taken[i] & 0xffff) / dimmer);
        return taken;
    }

    public void moveOwn(double position) {
        zUm = position;
    }

    /** What only a test can ask: how often something was done while an acquisition exposed. */
    public int disturbances() {
        return disturbances;
    }

    public boolean isLive() {
        return running;
    }

    public StrVector getLoadedDevices() {
        return new StrVector("Camera", "Z", "Core");
    }

    public String getFocusDevice() {
        return "Z";
    }

    public String getCameraDevice() {
        return "Camera";
    }

    public boolean deviceBusy(String label) throws Exception {
        return false;
    }

    public boolean isContinuousFocusEnabled() throws Exception {
        return false;
    }

    public double getPosition(String label) throws Exception {
        return zUm;
    }

    public void setPosition(String label, double position) throws Exception {
        if (fault.equals("stage")) throw new Exception("No response from COM3");
        if (exposing) disturbances++;
        moves++;
        zUm = position;
    }

    public double getExposure() throws Exception {
        return 1.0;
    }

    public long getImageWidth() {
        return width;
    }

    public long getImageHeight() {
        return height;
    }

    public long getNumberOfComponents() {
        return pixels.equals("int") ? 4 : 1;
    }

    public boolean isSequenceRunning() throws Exception {
        while (fault.equals("hangs")) Thread.sleep(5); // it waits for the camera
        return running;
    }

    public void startContinuousSequenceAcquisition(double intervalMs) {
        running = true;
    }

    public void stopSequenceAcquisition() {
        running = false;
    }

    public double getPixelSizeUm() {
        return 0.65;
    }

    public void snapImage() throws Exception {
        if (running) throw new Exception("Camera is capturing");
        while (fault.equals("hangs")) Thread.sleep(5);
        if (fault.equals("camera")) throw new Exception("Camera image buffer read failed");
        snaps++;
        seen = look();
    }

    public Object getImage() throws Exception {
        if (seen == null) throw new Exception("Camera image buffer read failed");
        return inPixels(seen);
    }

    public TaggedImage getLastTaggedImage() throws Exception {
        if (!running) throw new Exception("Circular buffer is empty.");
        return new TaggedImage(inPixels(look()), new Tags(frames++));
    }

    /** Plane at the present distance from focus, between two of the stack by their shares. */
    private short[] look() {
        double place = (zUm - planeUm() - firstUm) / stepUm;
        place = Math.max(0, Math.min(planes.length - 1.000001, place));
        int below = (int) place;
        double share = place - below;
        short[] made = new short[width * height];
        for (int i = 0; i < made.length; i++) {
            int low = planes[below][i] & 0xffff, high = planes[below + 1][i] & 0xffff;
            made[i] = (short) Math.round(low + share * (high - low));
        }
        return made;
    }

    private Object inPixels(short[] values) {
        if (pixels.equals("short")) return values;
        byte[] bytes = new byte[values.length];
        int[] packed = new int[values.length];
        for (int i = 0; i < values.length; i++) {
            int level = (values[i] & 0xffff) >> 8;
            bytes[i] = (byte) level;
            packed[i] = 0xff000000 | level << 16 | level << 8 | level;
        }
        return pixels.equals("byte") ? bytes : packed;
    }
}
