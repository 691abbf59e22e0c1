// A picture made small enough to travel: at most 1280 pixels wide or high, a JPEG of at most 200 KB, drawn anew so that nothing
// else of the file goes along.

const LONGEST_SIDE = 1280;
const MOST_BYTES = 200 * 1024;
const QUALITIES = [0.8, 0.65, 0.5, 0.35];

/** The picture now in a video, or null while there is none. */
export function frameOf(video) {
  return video.videoWidth ? { source: video, width: video.videoWidth, height: video.videoHeight } : null;
}

/** The picture in a file, turned upright; rejects when it is none. */
export async function pictureOf(file) {
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  return { source: bitmap, width: bitmap.width, height: bitmap.height };
}

/** `{source, width, height}` as a JPEG Blob of at most 200 KB; the quality goes first, then the size. */
export async function shrink({ source, width, height }) {
  for (let side = LONGEST_SIDE; side >= 320; side = Math.round(side * 0.75)) {
    const scale = Math.min(1, side / Math.max(width, height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(width * scale));
    canvas.height = Math.max(1, Math.round(height * scale));
    canvas.getContext("2d", { alpha: false }).drawImage(source, 0, 0, canvas.width, canvas.height);
    for (const quality of QUALITIES) {
      const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", quality));
      if (blob && blob.size <= MOST_BYTES) return blob;
    }
  }
  throw new Error("the picture does not get small enough");
}
