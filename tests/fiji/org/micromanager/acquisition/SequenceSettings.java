package org.micromanager.acquisition;

import java.util.ArrayList;
import java.util.List;

/** Of an acquisition; its public fields have the names of methods, as in Micro-Manager. */
public final class SequenceSettings {
    public double intervalMs;
    public boolean useCustomIntervals;
    public ArrayList<Double> customIntervalsMs;
    public ArrayList<Double> slices = new ArrayList<>();
    public boolean relativeZSlice = true;
    public boolean useAutofocus;
    public boolean usePositionList;
    private boolean useSlices;
    private int numFrames;

    /** What only a test can do: time points, their interval, a stack around the present z, and what it does besides. */
    public static SequenceSettings of(int numFrames, double intervalMs, double[] slices, String besides) {
        SequenceSettings made = new SequenceSettings();
        made.numFrames = numFrames;
        made.intervalMs = intervalMs;
        made.useSlices = slices.length > 0;
        for (double slice : slices) made.slices.add(slice);
        made.relativeZSlice = !besides.equals("absolute");
        made.useAutofocus = besides.equals("autofocus");
        made.usePositionList = besides.equals("positions");
        return made;
    }

    public int numFrames() {
        return numFrames;
    }

    public double intervalMs() {
        return intervalMs;
    }

    public boolean useCustomIntervals() {
        return useCustomIntervals;
    }

    public ArrayList<Double> customIntervalsMs() {
        return customIntervalsMs;
    }

    public ArrayList<Double> slices() {
        return slices;
    }

    public boolean relativeZSlice() {
        return relativeZSlice;
    }

    public boolean useAutofocus() {
        return useAutofocus;
    }

    public boolean usePositionList() {
        return usePositionList;
    }

    public boolean useSlices() {
        return useSlices;
    }

    /** Offsets of the planes of a time point. */
    public List<Double> planes() {
        return useSlices ? slices : List.of(0.0);
    }
}
