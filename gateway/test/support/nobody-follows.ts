/** No operator follows anybody: what parts of the core look at before they tell. */
export const nobodyFollows = {
  on: false,
  arrived: unasked,
  received: unasked,
  joined: unasked,
  leaves: unasked,
  sent: unasked,
} as const;

function unasked(): never {
  throw new Error('nobody follows, so nothing may be told');
}
