{{/* Labels of every object of a part: include "enclaves.labels" (list . "webhook") */}}
{{- define "enclaves.labels" -}}
{{- $root := index . 0 -}}
{{- $part := index . 1 -}}
app.kubernetes.io/name: {{ $root.Chart.Name }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ $part }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version }}
{{- end }}

{{/* Labels that select the pods of a part; they never change. */}}
{{- define "enclaves.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ $root.Chart.Name }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{/* Security context of every container of the platform. */}}
{{- define "enclaves.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: ["ALL"]
{{- end }}

{{- define "enclaves.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{/* By name, separated by commas; the Reconciler is told as well. */}}
{{- define "enclaves.excludedNamespaces" -}}
kube-system,kube-node-lease,{{ .Release.Namespace }}
{{- end }}

{{/*
Namespaces that no webhook sees: the system's and the chart's own, so that neither can keep itself from starting. By the name,
and by a label of ours where an old API server does not set the name as a label.
*/}}
{{- define "enclaves.namespaceSelector" -}}
matchExpressions:
- key: kubernetes.io/metadata.name
  operator: NotIn
  values: {{ splitList "," (include "enclaves.excludedNamespaces" .) | toJson }}
- key: k8s.oblv.com/ignore
  operator: NotIn
  values: ["true"]
{{- end }}

{{/*
policy/v1 came with Kubernetes 1.21. By the server's version and not by .Capabilities.APIVersions: helm template, which Argo CD uses,
believes in every API that helm was built with, whatever --api-versions says.
*/}}
{{- define "enclaves.disruptionBudgetVersion" -}}
{{- ternary "policy/v1" "policy/v1beta1" (semverCompare ">=1.21-0" .Capabilities.KubeVersion.Version) -}}
{{- end }}

{{/* The Secret with the Webhook's certificate. */}}
{{- define "enclaves.certificateSecret" -}}
{{- if eq .Values.tls.mode "provided" -}}
{{- required "tls.secretName: give the Secret with the webhook's certificate, or set tls.mode to selfManaged" .Values.tls.secretName -}}
{{- else -}}
{{- .Release.Name }}-webhook-certificate
{{- end -}}
{{- end }}

{{/* The authority that API servers shall trust; empty where the Reconciler or cert-manager writes it. */}}
{{- define "enclaves.caBundle" -}}
{{- if eq .Values.tls.mode "provided" -}}
{{- required "tls.caBundle: give the authority of the webhook's certificate, PEM in base64" .Values.tls.caBundle -}}
{{- end -}}
{{- end }}

{{/* The names by which API servers call the Webhook, and everybody the REST API. */}}
{{- define "enclaves.serverNames" -}}
{{- range $part := ternary (list "webhook" "reconciler") (list "webhook") .Values.rest.enabled }}
- {{ $.Release.Name }}-{{ $part }}
- {{ $.Release.Name }}-{{ $part }}.{{ $.Release.Namespace }}
- {{ $.Release.Name }}-{{ $part }}.{{ $.Release.Namespace }}.svc
{{- end }}
{{- end }}
