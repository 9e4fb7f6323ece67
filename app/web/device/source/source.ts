// Where frames come from: the camera, a file, or the sample clip.

const LONGEST = 1280; // longer side of what is analyzed and drawn
const CAMERA = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };

export type Facing = "user" | "environment";

/** A frame with its time in seconds. */
export interface Frame {
  bitmap: ImageBitmap;
  timeS: number;
}

/** A playing video. */
export class Source {
  private last = -1;

  private constructor(
    private readonly video: HTMLVideoElement,
    readonly name: string,
    private readonly release: () => void,
  ) {}

  /** Raises an Error whose message says what to do. */
  static async camera(facing: Facing, ended: () => void): Promise<Source> {
    if (!navigator.mediaDevices?.getUserMedia) {
      throw new Error("Browsers allow the camera only on https:// pages and on localhost.");
    }
    const stream = await navigator.mediaDevices
      .getUserMedia({ video: { ...CAMERA, facingMode: facing }, audio: false })
      .catch((error: unknown) => {
        throw new Error(explain(error));
      });
    const [track] = stream.getVideoTracks();
    track.onended = ended;
    const video = element();
    video.srcObject = stream;
    const source = new Source(video, track.label || "camera", () => track.stop());
    await video.play();
    return source;
  }

  static async file(file: Blob, name: string): Promise<Source> {
    const url = URL.createObjectURL(file);
    const video = element();
    video.loop = true;
    video.src = url;
    const source = new Source(video, name, () => URL.revokeObjectURL(url));
    try {
      await video.play();
    } catch {
      source.stop();
      throw new Error(`${name} is not a video that this browser plays.`);
    }
    return source;
  }

  /** The newest frame, or null where it was taken already. */
  async take(): Promise<Frame | null> {
    const { videoWidth: width, videoHeight: height, currentTime } = this.video;
    if (width === 0 || this.video.readyState < 2 || currentTime === this.last) return null;
    this.last = currentTime;
    const live = this.video.srcObject !== null;
    const timeS = live ? performance.now() / 1000 : currentTime;
    const scale = Math.min(1, LONGEST / Math.max(width, height));
    const size = { resizeWidth: Math.round(width * scale), resizeHeight: Math.round(height * scale) };
    const options: ImageBitmapOptions = scale < 1 ? { ...size, resizeQuality: "medium" } : {};
    return { bitmap: await createImageBitmap(this.video, options), timeS };
  }

  stop(): void {
    this.video.pause();
    this.release();
    this.video.srcObject = null;
    this.video.removeAttribute("src");
  }
}

function element(): HTMLVideoElement {
  return Object.assign(document.createElement("video"), { muted: true, playsInline: true });
}

function explain(error: unknown): string {
  const { name, message } = error as DOMException;
  if (name === "NotAllowedError") return "Camera access was denied: allow it in the browser's address bar, then try again.";
  if (name === "NotFoundError" || name === "OverconstrainedError") return "No camera was found on this device.";
  if (name === "NotReadableError") return "The camera is in use by another program.";
  return `The camera cannot be used: ${message}`;
}
