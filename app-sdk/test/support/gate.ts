/** Something that waits until a test lets it go on. */
export interface Gate {
  opened: Promise<void>;
  open: () => void;
}

export function gate(): Gate {
  const made: Partial<Gate> = {};
  made.opened = new Promise((resolve) => {
    made.open = resolve;
  });
  return made as Gate;
}
