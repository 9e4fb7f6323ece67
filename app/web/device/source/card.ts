// The card: what this device measured, as a PNG and as JSON, made here and kept here until the visitor shares it.

import type { Estimate } from "@core";
import type { Figures } from "./figures";
import { type Backend, type Kind, KINDS, type Settings } from "./protocol";

export interface Card {
  made: string;
  sepcam: string;
  network: string;
  device: string;
  cores: number;
  memory_gb: number | null;
  browser: string;
  backend: Backend;
  threads: number;
  gpu: string | null;
  input_size: number;
  ms: Record<Kind, number | null>;
  frames: Record<Kind, number>;
  times_slower: Estimate | null;
  pairs: number;
}

interface Brands {
  brands: { brand: string; version: string }[];
  platform: string;
  getHighEntropyValues(hints: string[]): Promise<{ model?: string; platformVersion?: string }>;
}

export async function makeCard(
  figures: Figures,
  settings: Settings,
  opened: { backend: Backend; threads: number; gpu: string | null },
  longest: number,
): Promise<Card> {
  const median = (kind: Kind): number | null => {
    const ms = figures.analysisMs(kind);
    return Number.isNaN(ms) ? null : rounded(ms);
  };
  const { ratio } = figures;
  return {
    made: new Date().toISOString(),
    sepcam: settings.version,
    network: settings.network,
    device: await device(),
    cores: navigator.hardwareConcurrency,
    memory_gb: (navigator as { deviceMemory?: number }).deviceMemory ?? null,
    browser: browser(),
    ...opened,
    input_size: longest,
    ms: { separable: median("separable"), standard: median("standard") },
    frames: { separable: figures.frames("separable"), standard: figures.frames("standard") },
    times_slower: ratio && { median: rounded(ratio.median), low: rounded(ratio.low), high: rounded(ratio.high) },
    pairs: figures.pairs,
  };
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}

async function device(): Promise<string> {
  const data = (navigator as { userAgentData?: Brands }).userAgentData;
  if (data !== undefined) {
    const { model } = await data.getHighEntropyValues(["model"]).catch(() => ({ model: "" }));
    return [model, data.platform].filter(Boolean).join(", ") || "unknown";
  }
  return /\(([^)]+)\)/.exec(navigator.userAgent)?.[1] ?? "unknown";
}

function browser(): string {
  const data = (navigator as { userAgentData?: Brands }).userAgentData;
  const brands = data?.brands.filter(({ brand }) => !/not.*brand/i.test(brand)) ?? [];
  const best = brands.find(({ brand }) => brand !== "Chromium") ?? brands[0];
  if (best !== undefined) return `${best.brand} ${best.version}`;
  const found = /(Firefox|Edg|Chrome|Version)\/(\d+)/.exec(navigator.userAgent);
  if (found === null) return "unknown";
  return `${found[1] === "Version" ? "Safari" : found[1]} ${found[2]}`;
}

const LOOK = { ground: "#0d1216", ink: "#e8eef2", soft: "#9fb0bc", separable: "#4dd0dc", standard: "#ff9d5f" };

/** The card as a PNG of 1200 x 630 pixels. */
export async function drawCard(card: Card): Promise<Blob> {
  const canvas = Object.assign(document.createElement("canvas"), { width: 1200, height: 630 });
  const context = canvas.getContext("2d")!;
  const write = (text: string, x: number, y: number, size: number, color: string, weight = 400): void => {
    context.font = `${weight} ${size}px system-ui, "DejaVu Sans", sans-serif`;
    context.fillStyle = color;
    context.fillText(text, x, y, 1200 - x - 60);
  };
  context.fillStyle = LOOK.ground;
  context.fillRect(0, 0, 1200, 630);
  write("Sepcam on this device", 60, 90, 40, LOOK.ink, 650);
  const [headline, interval] = headlines(card);
  write(headline, 60, 170, 52, LOOK.ink, 700);
  write(interval, 60, 214, 28, LOOK.soft);
  const most = Math.max(...KINDS.map((kind) => card.ms[kind] ?? 0), 1e-9);
  KINDS.forEach((kind, i) => {
    const ms = card.ms[kind];
    const y = 280 + 90 * i;
    write(kind, 60, y, 30, LOOK[kind], 600);
    context.fillStyle = LOOK[kind];
    context.fillRect(240, y - 26, (600 * (ms ?? 0)) / most, 34);
    write(ms === null ? "not run" : `${figure(ms)} ms, ${figure(1000 / ms)} FPS`, 860, y, 30, LOOK.ink);
  });
  const { device, cores, browser: name, backend, threads, gpu } = card;
  write(`${device} · ${cores} cores · ${name}`, 60, 480, 28, LOOK.ink);
  write(backend === "webgpu" ? `WebGPU, ${gpu}` : `WebAssembly, ${threads} thread${threads > 1 ? "s" : ""}`, 60, 522, 28, LOOK.ink);
  write(`network ${card.network}, input ${card.input_size} pixels · Sepcam ${card.sepcam} · ${card.made.slice(0, 10)}`, 60, 576, 22, LOOK.soft);
  return new Promise((done, fail) => {
    canvas.toBlob((blob) => (blob === null ? fail(new Error("no PNG")) : done(blob)), "image/png");
  });
}

function headlines({ times_slower: ratio, pairs }: Card): [string, string] {
  if (ratio === null) return ["Separable convolutions, in a browser", ""];
  return [
    `Standard takes ${figure(ratio.median)} times as long`,
    `95 % interval ${figure(ratio.low)} to ${figure(ratio.high)}, over ${pairs} frames`,
  ];
}

/** Three digits, more where the number has them. */
export function figure(value: number): string {
  return Number.isFinite(value) ? (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)) : "–";
}
