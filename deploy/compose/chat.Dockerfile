# An app server of examples/chat, for compose.yaml. Node 22 runs its TypeScript as it is.
ARG NODE_IMAGE=node:22.23.3-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json tsconfig.base.json ./
COPY app-sdk/package.json app-sdk/
COPY gateway/package.json gateway/
COPY examples/chat/package.json examples/chat/
COPY examples/notify/package.json examples/notify/
COPY examples/serverless/package.json examples/serverless/
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY app-sdk/tsconfig.json app-sdk/
COPY app-sdk/src app-sdk/src
RUN npx tsc -b app-sdk

FROM ${NODE_IMAGE} AS dependencies
WORKDIR /build
COPY package.json package-lock.json ./
COPY app-sdk/package.json app-sdk/
COPY gateway/package.json gateway/
COPY examples/chat/package.json examples/chat/
COPY examples/notify/package.json examples/notify/
COPY examples/serverless/package.json examples/serverless/
RUN npm ci --ignore-scripts --no-audit --no-fund --omit=dev --workspace @signalbox/example-chat --workspace @signalbox/app-sdk

FROM ${NODE_IMAGE}
WORKDIR /chat
COPY --from=dependencies /build/node_modules node_modules
COPY --from=dependencies /build/app-sdk app-sdk
COPY --from=build /build/app-sdk/dist app-sdk/dist
COPY examples/chat examples/chat
ENV NODE_ENV=production HOST=0.0.0.0
USER node
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=3s --start-period=20s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:3000/readyz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "examples/chat/src/main.ts"]
