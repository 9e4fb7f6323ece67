// What the worker and the tests use of the analysis.

export { assign } from "./assignment";
export { iou, unique } from "./boxes";
export { decode } from "./decoding";
export { fittedSize, Letterbox } from "./letterbox";
export { maskInputs, placeMasks } from "./masks";
export { type Found, type Look, type Options, PeopleNetwork, type RunLook, type RunMasks } from "./network";
export { type Estimate, estimate, LEAST_PAIRS, percentile, Recent } from "./stats";
export { type Detection, Tracker, type TrackerSettings, type Tracked } from "./tracker";
export type { Box, Image, Mask, Person, Size, View } from "./types";
export { joinPlanes, unpack } from "./weights";
